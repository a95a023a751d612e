"""Operators between numbers and series, and between series that belong together.

Source: https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from mesh.observe.metrics.series import Labels
from mesh.observe.promql.arithmetic import ARITHMETIC, COMPARISONS
from mesh.observe.promql.nodes import Matching
from mesh.observe.promql.rows import (
    CannotAnswer,
    Row,
    Scalar,
    Values,
    Vector,
    filled,
    kept,
    merged,
    nameless,
)

Operator = Callable[[float, float], float | None]
_Signature = frozenset[tuple[str, str]]
SETS: Final = ("and", "or", "unless")


def of_scalars(op: str, left: Scalar, right: Scalar) -> Scalar:
    calculate = ARITHMETIC.get(op) or COMPARISONS[op]
    return Scalar([float(calculate(a, b)) for a, b in zip(left.values, right.values, strict=True)])


def with_scalar(op: str, rows: Vector, scalar: Scalar, swapped: bool, as_bool: bool) -> Vector:
    """``swapped`` when the scalar stands on the left. A comparison without ``as_bool`` keeps what it holds for, as it is."""
    names = op in COMPARISONS and not as_bool
    if names:
        found = [_compared(op, row, scalar, swapped) for row in rows]
        return filled(found)
    calculate = _operator(op, as_bool)
    both = (lambda a, b: calculate(b, a)) if swapped else calculate
    return merged(Row(nameless(row.labels), _both(both, row.values, scalar.values)) for row in rows)


def _compared(op: str, row: Row, scalar: Scalar, swapped: bool) -> Row:
    holds = COMPARISONS[op]
    return Row(
        row.labels,
        [
            a if a is not None and (holds(b, a) if swapped else holds(a, b)) else None
            for a, b in zip(row.values, scalar.values, strict=True)
        ],
    )


def _operator(op: str, as_bool: bool) -> Operator:
    if op in ARITHMETIC:
        return ARITHMETIC[op]
    holds = COMPARISONS[op]
    if as_bool:
        return lambda a, b: float(holds(a, b))
    return lambda a, b: a if holds(a, b) else None


def _both(calculate: Operator, left: Values, right: Values) -> list[float | None]:
    return [None if a is None or b is None else calculate(a, b) for a, b in zip(left, right, strict=True)]


def of_vectors(op: str, left: Vector, right: Vector, matching: Matching, as_bool: bool) -> Vector:
    """Raises CannotAnswer when a series belongs to more than one on a side that must have one."""
    if op in SETS:
        return _set(op, left, right, matching)
    swapped = matching.card == "one-to-many"
    many, one = (right, left) if swapped else (left, right)
    looked = [_there(a) and _there(b) for a, b in zip(_moments(left), _moments(right), strict=False)]
    ones = _by_signature(one, matching)
    for rows in ones.values():
        _must_be_one(rows, looked, "left" if swapped else "right")
    calculate = _operator(op, as_bool)
    both: Operator = (lambda a, b: calculate(b, a)) if swapped else calculate
    drop_name = op in ARITHMETIC or as_bool
    found: Vector = []
    for signature, rows in _by_signature(many, matching).items():
        of_group = [
            Row(_labels(row, single, matching, drop_name), _both(both, row.values, single.values))
            for single in ones.get(signature, ())
            for row in rows
        ]
        if matching.card == "one-to-one" and len(rows) > 1:
            _must_take_turns(of_group)
        found += of_group
    try:
        return merged(filled(found))
    except CannotAnswer:
        raise CannotAnswer(
            "multiple matches for labels: grouping labels must ensure unique matches"
        ) from None


def _signature(row: Row, matching: Matching) -> _Signature:
    return frozenset(kept(row.labels, matching.by).items())


def _by_signature(rows: Iterable[Row], matching: Matching) -> Mapping[_Signature, Vector]:
    found: defaultdict[_Signature, Vector] = defaultdict(list)
    for row in rows:
        found[_signature(row, matching)].append(row)
    return found


def _must_be_one(rows: Vector, looked: Sequence[bool], side: str) -> None:
    """At a time, in the moments at which the other side has anything at all."""
    if len(rows) > 1 and any(
        there and _several(at) for there, at in zip(looked, _moments(rows), strict=False)
    ):
        raise CannotAnswer(
            f"found duplicate series for the match group on the {side} hand-side of the operation: {dict(rows[0].labels)}, "
            f"{dict(rows[1].labels)};many-to-many matching not allowed: matching labels must be unique on one side"
        )


def _there(at: Iterable[float | None]) -> bool:
    return any(value is not None for value in at)


def _several(at: Iterable[float | None]) -> bool:
    return sum(value is not None for value in at) > 1


def _must_take_turns(rows: Vector) -> None:
    if any(_several(at) for at in _moments(rows)):
        raise CannotAnswer(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        )


def _moments(rows: Sequence[Row]) -> Iterable[tuple[float | None, ...]]:
    return zip(*(row.values for row in rows), strict=True)


def _labels(row: Row, single: Row, matching: Matching, drop_name: bool) -> Labels:
    labels = dict(nameless(row.labels) if drop_name else row.labels)
    if matching.card == "one-to-one":
        named = matching.by.labels
        labels = {key: value for key, value in labels.items() if (key in named) is matching.by.by}
    for name in matching.include:
        labels.pop(name, None)
        if value := single.labels.get(name):
            labels[name] = value
    return labels


def _set(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    others = _present(right, matching)
    if op == "or":
        mine = _present(left, matching)
        return merged(
            [*left, *filled(_where(row, mine.get(_signature(row, matching)), False) for row in right)]
        )
    wanted = op == "and"
    return filled(_where(row, others.get(_signature(row, matching)), wanted) for row in left)


def _present(rows: Vector, matching: Matching) -> Mapping[_Signature, Sequence[bool]]:
    """At which moments there is something of a signature."""
    return {
        signature: [_there(at) for at in _moments(found)]
        for signature, found in _by_signature(rows, matching).items()
    }


def _where(row: Row, there: Sequence[bool] | None, wanted: bool) -> Row:
    """Its values at the moments at which something is there, or is not."""
    if there is None:
        return Row(row.labels, [None] * len(row.values) if wanted else row.values)
    return Row(
        row.labels, [v if is_there is wanted else None for v, is_there in zip(row.values, there, strict=True)]
    )
