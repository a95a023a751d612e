"""Every function that is answered, by name: what it does with the parts of a question that are its arguments. Used by evaluate.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, Protocol

from mesh.observe.metrics.series import NAME, Labels
from mesh.observe.promql import histogram, relabel
from mesh.observe.promql.elementwise import DATES, ELEMENTWISE, clamped, rounded
from mesh.observe.promql.nodes import Node, Range, Selector
from mesh.observe.promql.overtime import OVER_TIME, RATES, in_ranges, over_time, quantile, regression
from mesh.observe.promql.rows import (
    Row,
    Scalar,
    Value,
    Values,
    Vector,
    Window,
    Windows,
    filled,
    merged,
    nameless,
)
from mesh.observe.promql.select import Asked, timestamps


class Evaluation(Protocol):
    """What evaluate has for them."""

    asked: Asked
    times: Sequence[int]

    def value(self, node: Node) -> Value: ...
    def vector(self, node: Node) -> Vector: ...
    def scalar(self, node: Node) -> Scalar: ...
    def text(self, node: Node) -> str: ...
    def windows(self, node: Node) -> Windows: ...


Arguments = Sequence[Node]
Function = Callable[[Evaluation, Arguments], Value]

_KEEP_NAMES: Final = ("last_over_time",)


def _mapped(rows: Vector, change: Callable[[float], float]) -> Vector:
    return merged(
        Row(nameless(row.labels), [None if value is None else change(value) for value in row.values])
        for row in rows
    )


def _elementwise(change: Callable[[float], float], of: Evaluation, given: Arguments) -> Value:
    return _mapped(of.vector(given[0]), change)


def _dated(part: Callable[[float], float], of: Evaluation, given: Arguments) -> Value:
    rows = of.vector(given[0]) if given else [Row({}, [time / 1000 for time in of.times])]
    return _mapped(rows, part)


def _of_windows(
    name: str, found: Callable[[Window], Values], of: Evaluation, given: Arguments, cost: int = 0
) -> Value:
    """What looks at each sample of each range pays for it beforehand, ``cost`` for one."""
    windows = of.windows(given[-1])
    if cost:
        of.asked.budget.spend(cost * sum(sum(each.highs) - sum(each.lows) for each in windows))
    labels: Callable[[Labels], Labels] = (lambda all_: all_) if name in _KEEP_NAMES else nameless
    return merged(filled(Row(labels(each.labels), found(each)) for each in windows))


def _sampled(name: str, of: Evaluation, given: Arguments) -> Value:
    return _of_windows(name, lambda window: over_time(window, OVER_TIME[name]), of, given, cost=1)


def _quantile_over_time(of: Evaluation, given: Arguments) -> Value:
    shares = of.scalar(given[0]).values

    def found(window: Window) -> Values:
        return [
            quantile(share, values) if values else None
            for share, values in zip(shares, in_ranges(window), strict=True)
        ]

    return _of_windows("quantile_over_time", found, of, given, cost=5)


def _predict_linear(of: Evaluation, given: Arguments) -> Value:
    ahead = of.scalar(given[1]).values
    return merged(
        filled(Row(nameless(each.labels), regression(each, ahead)) for each in of.windows(given[0]))
    )


def _histogram_quantile(of: Evaluation, given: Arguments) -> Value:
    return filled(histogram.quantiles(of.scalar(given[0]).values, of.vector(given[1])))


def _with_numbers(rows: Vector, numbers: Sequence[Scalar], change: Callable[..., float]) -> Vector:
    """Each value with the numbers of its moment."""
    columns = [scalar.values for scalar in numbers]
    return merged(
        Row(
            nameless(row.labels),
            [None if v is None else change(v, *more) for v, *more in zip(row.values, *columns, strict=True)],
        )
        for row in rows
    )


def _round(of: Evaluation, given: Arguments) -> Value:
    to = [of.scalar(given[1])] if len(given) > 1 else [Scalar([1.0] * len(of.times))]
    return _with_numbers(of.vector(given[0]), to, rounded)


def _clamp(of: Evaluation, given: Arguments) -> Value:
    least, most = of.scalar(given[1]), of.scalar(given[2])
    rows = _with_numbers(of.vector(given[0]), [least, most], clamped)
    empty = [low > high for low, high in zip(least.values, most.values, strict=True)]
    return filled(
        Row(row.labels, [None if none else v for v, none in zip(row.values, empty, strict=True)])
        for row in rows
    )


def _clamp_min(of: Evaluation, given: Arguments) -> Value:
    return _with_numbers(of.vector(given[0]), [of.scalar(given[1])], lambda v, n: clamped(v, n, math.inf))


def _clamp_max(of: Evaluation, given: Arguments) -> Value:
    return _with_numbers(of.vector(given[0]), [of.scalar(given[1])], lambda v, n: clamped(v, -math.inf, n))


def _scalar(of: Evaluation, given: Arguments) -> Value:
    rows = of.vector(given[0])
    found = []
    for index in range(len(of.times)):
        there = [value for row in rows if (value := row.values[index]) is not None]
        found.append(there[0] if len(there) == 1 else math.nan)
    return Scalar(found)


def _vector(of: Evaluation, given: Arguments) -> Value:
    return [Row({}, of.scalar(given[0]).values)]


def _time(of: Evaluation, given: Arguments) -> Value:
    return Scalar([time / 1000 for time in of.times])


def _pi(of: Evaluation, given: Arguments) -> Value:
    return Scalar([math.pi] * len(of.times))


def _timestamp(of: Evaluation, given: Arguments) -> Value:
    """Of the sample itself, where a selector is asked about."""
    if isinstance(given[0], Selector):
        found = timestamps(given[0], of.times, of.asked)
        return merged(filled(Row(nameless(row.labels), row.values) for row in found))
    seconds = Scalar([time / 1000 for time in of.times])
    return _with_numbers(of.vector(given[0]), [seconds], lambda value, at: at)


def _absent(of: Evaluation, given: Arguments) -> Value:
    return _missing(of, given[0], [row.values for row in of.vector(given[0])])


def _absent_over_time(of: Evaluation, given: Arguments) -> Value:
    found = [over_time(each, OVER_TIME["present_over_time"]) for each in of.windows(given[0])]
    return _missing(of, given[0], found)


def _missing(of: Evaluation, asked: Node, found: Sequence[Values]) -> Vector:
    """1 where nothing is, with the labels that what was asked for would have."""
    there = [any(values[index] is not None for values in found) for index in range(len(of.times))]
    return filled([Row(_expected(asked), [None if each else 1.0 for each in there])])


def _expected(asked: Node) -> Labels:
    """Those that must be equal to something, and are named once."""
    selector = asked.of if isinstance(asked, Range) else asked
    if not isinstance(selector, Selector):
        return {}
    names = [matcher.label for matcher in selector.matchers]
    return {
        each.label: each.equals
        for each in selector.matchers
        if each.equals and each.label != NAME and names.count(each.label) == 1
    }


def _sort(descending: bool, of: Evaluation, given: Arguments) -> Value:
    """In the order of the last moment; what is no number comes last."""

    def order(row: Row) -> tuple[bool, float]:
        value = row.values[-1]
        if value is None or value != value:
            return True, 0.0
        return False, -value if descending else value

    return sorted(of.vector(given[0]), key=order)


def _label_replace(of: Evaluation, given: Arguments) -> Value:
    target, template, source, pattern = (of.text(each) for each in given[1:5])
    return relabel.replaced(of.vector(given[0]), target, template, source, pattern)


def _label_join(of: Evaluation, given: Arguments) -> Value:
    target, separator, *sources = (of.text(each) for each in given[1:])
    return relabel.joined(of.vector(given[0]), target, separator, sources)


FUNCTIONS: Final[Mapping[str, Function]] = {
    **{name: partial(_elementwise, change) for name, change in ELEMENTWISE.items()},
    **{name: partial(_dated, part) for name, part in DATES.items()},
    **{name: partial(_of_windows, name, found) for name, found in RATES.items()},
    **{name: partial(_sampled, name) for name in OVER_TIME},
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "clamp": _clamp,
    "clamp_max": _clamp_max,
    "clamp_min": _clamp_min,
    "histogram_quantile": _histogram_quantile,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "pi": _pi,
    "predict_linear": _predict_linear,
    "quantile_over_time": _quantile_over_time,
    "round": _round,
    "scalar": _scalar,
    "sort": partial(_sort, False),
    "sort_desc": partial(_sort, True),
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
}
