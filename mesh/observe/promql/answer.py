"""A question in PromQL about a moment or a span of time -> its answer, as Prometheus says it in JSON.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#expression-queries
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from mesh.observe.metrics.series import Store
from mesh.observe.metrics.text import number
from mesh.observe.promql.evaluate import Evaluation
from mesh.observe.promql.nodes import BadQuery, Node, Range, Subquery
from mesh.observe.promql.parse import parse
from mesh.observe.promql.rows import Row, Scalar, Window, Words
from mesh.observe.promql.select import Asked

Json = dict[str, Any]

MOST_POINTS: Final = 11_000
_PLAIN: Final = (1e-6, 1e21)
"""Between those Prometheus writes numbers without an exponent."""


def instant(store: Store, query: str, at: int) -> Json:
    """``at`` is ms since 1970. Raises BadQuery and CannotAnswer."""
    node, evaluation = parse(query), Evaluation(Asked(store, at, at), [at])
    if isinstance(node, Range | Subquery):
        return {"resultType": "matrix", "result": _matrix(evaluation, node)}
    match evaluation.value(node):
        case Scalar(values):
            return {"resultType": "scalar", "result": _point(at, values[0])}
        case Words(text):
            return {"resultType": "string", "result": [at / 1000, text]}
        case rows:
            found = [(row, value) for row in rows if (value := row.values[0]) is not None]
            result = [{"metric": row.labels, "value": _point(at, value)} for row, value in found]
            return {"resultType": "vector", "result": result}


def over(store: Store, query: str, start: int, end: int, step: int) -> Json:
    """At ``start`` and each ``step`` after it up to ``end``, all ms. Raises BadQuery and CannotAnswer."""
    times = range(start, end + 1, step)
    if len(times) > MOST_POINTS:
        raise BadQuery(
            f"exceeded maximum resolution of {MOST_POINTS:,} points per timeseries. Try decreasing the query resolution (?step=XX)"
        )
    node = parse(query)
    if isinstance(node, Range | Subquery):
        raise BadQuery(
            'invalid expression type "range vector" for range query, must be Scalar or instant Vector'
        )
    found = Evaluation(Asked(store, start, end), times).value(node)
    if isinstance(found, Words):
        raise BadQuery('invalid expression type "string" for range query, must be Scalar or instant Vector')
    rows = [Row({}, found.values)] if isinstance(found, Scalar) else found
    result = [{"metric": row.labels, "values": _points(times, row)} for row in _ordered(rows)]
    return {"resultType": "matrix", "result": result}


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """By labels, so that a page draws the same series in the same place each time."""
    return sorted(rows, key=lambda row: sorted(row.labels.items()))


def _points(times: Sequence[int], row: Row) -> list[list[Any]]:
    return [_point(at, value) for at, value in zip(times, row.values, strict=True) if value is not None]


def _matrix(evaluation: Evaluation, node: Node) -> list[Json]:
    found = [(window, _samples(window)) for window in evaluation.windows(node)]
    return [{"metric": window.labels, "values": samples} for window, samples in found if samples]


def _samples(window: Window) -> list[list[Any]]:
    within = slice(window.lows[0], window.highs[0])
    return [_point(at, v) for at, v in zip(window.times[within], window.values[within], strict=True)]


def _point(at: int, value: float) -> list[Any]:
    return [at / 1000 if at % 1000 else at // 1000, told(value)]


def told(value: float) -> str:
    """As Prometheus writes it."""
    text = number(value)
    if "e" in text and _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return format(Decimal(text), "f").removesuffix(".0")
    return text
