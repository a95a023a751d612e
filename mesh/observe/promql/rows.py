"""What parts of a question come to: for each moment that is asked about, a number, or a number a series.

All values of one answer have as many places as there are moments; None is where a series has nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mesh.observe.metrics.series import NAME, Labels
from mesh.observe.promql.nodes import Grouping

Values = Sequence[float | None]


class CannotAnswer(Exception):
    """The question is PromQL, and has no answer; the words are Prometheus' where it has them."""


@dataclass(frozen=True, slots=True)
class Row:
    labels: Labels
    values: Values


Vector = list[Row]


@dataclass(frozen=True, slots=True)
class Scalar:
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """A series, and for each moment which of its samples are in range: those from ``low`` to before ``high``.

    ``times`` of the samples, and ``ends`` of the ranges, are ms since 1970; a range is ``length`` ms and does not hold its start.
    """

    labels: Labels
    times: Sequence[int]
    values: Sequence[float]
    lows: Sequence[int]
    highs: Sequence[int]
    ends: Sequence[int]
    length: int


Windows = list[Window]
Value = Scalar | Vector | Words


def nameless(labels: Labels) -> Labels:
    return {key: value for key, value in labels.items() if key != NAME}


def kept(labels: Labels, grouping: Grouping) -> Labels:
    """Those by which that groups; a metric's name only where it is asked for."""
    if grouping.by:
        return {key: value for key, value in labels.items() if key in grouping.labels}
    return {key: value for key, value in labels.items() if key not in grouping.labels and key != NAME}


def key(labels: Labels) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def merged(rows: Iterable[Row]) -> Vector:
    """Rows of the same labels become one, when they take turns; at the same moment that is CannotAnswer."""
    found: dict[frozenset[tuple[str, str]], Row] = {}
    for row in rows:
        same = found.setdefault(key(row.labels), row)
        if same is not row:
            found[key(row.labels)] = Row(row.labels, _either(same, row))
    return list(found.values())


def _either(one: Row, other: Row) -> Values:
    if any(a is not None and b is not None for a, b in zip(one.values, other.values, strict=True)):
        raise CannotAnswer("vector cannot contain metrics with the same labelset")
    return [b if a is None else a for a, b in zip(one.values, other.values, strict=True)]


def filled(rows: Iterable[Row]) -> Vector:
    """Those that have a value at some moment."""
    return [row for row in rows if any(value is not None for value in row.values)]
