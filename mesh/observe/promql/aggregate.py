"""Aggregations: many series -> one a group, or the k largest of each group.

Source: https://prometheus.io/docs/prometheus/latest/querying/operators/#aggregation-operators
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from mesh.observe.metrics.series import Labels
from mesh.observe.metrics.text import number
from mesh.observe.promql.nodes import Grouping
from mesh.observe.promql.overtime import deviation, least, mean, most, quantile, variance
from mesh.observe.promql.rows import Row, Values, Vector, kept, key

Found = Callable[[Sequence[float]], float]

#: Of the values that a group has at a moment, of which there is at least one.
OF_GROUP: Final[dict[str, Found]] = {
    "avg": mean,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0,
    "max": most,
    "min": least,
    "stddev": deviation,
    "stdvar": variance,
    "sum": sum,
}


def grouped(
    rows: Iterable[Row], grouping: Grouping
) -> Mapping[frozenset[tuple[str, str]], tuple[Labels, Vector]]:
    """The labels that a group has in common, and its rows."""
    found: dict[frozenset[tuple[str, str]], tuple[Labels, Vector]] = {}
    for row in rows:
        labels = kept(row.labels, grouping)
        found.setdefault(key(labels), (labels, []))[1].append(row)
    return found


def aggregated(rows: Iterable[Row], grouping: Grouping, found: Found) -> Vector:
    return [Row(labels, _column(group, found)) for labels, group in grouped(rows, grouping).values()]


def _column(group: Vector, found: Found) -> Values:
    return [
        found(values) if (values := [value for value in at if value is not None]) else None
        for at in zip(*(row.values for row in group), strict=True)
    ]


def quantiles(rows: Iterable[Row], grouping: Grouping, shares: Sequence[float]) -> Vector:
    """At each moment of another share, if need be."""
    return [
        Row(labels, [_quantile(share, at) for share, at in zip(shares, _moments(group), strict=True)])
        for labels, group in grouped(rows, grouping).values()
    ]


def _quantile(share: float, at: Sequence[float | None]) -> float | None:
    values = [value for value in at if value is not None]
    return quantile(share, values) if values else None


def _moments(group: Vector) -> Iterable[tuple[float | None, ...]]:
    return zip(*(row.values for row in group), strict=True)


def extremes(rows: Iterable[Row], grouping: Grouping, counts: Sequence[float], largest: bool) -> Vector:
    """The ``counts`` largest of each group, or smallest, as they are; in order where one moment is asked for."""
    found: Vector = []
    for _, group in grouped(rows, grouping).values():
        chosen = [_chosen(at, count, largest) for at, count in zip(_moments(group), counts, strict=True)]
        taken = [
            Row(
                row.labels, [v if index in some else None for v, some in zip(row.values, chosen, strict=True)]
            )
            for index, row in enumerate(group)
        ]
        found += [taken[index] for index in chosen[0]] if len(chosen) == 1 else taken
    return found


def _chosen(at: Sequence[float | None], count: float, largest: bool) -> Mapping[int, None]:
    """Places of those values, best first; what is no number comes last."""
    places = [(value, index) for index, value in enumerate(at) if value is not None]
    places.sort(key=lambda each: (each[0] != each[0], -each[0] if largest else each[0]))
    return dict.fromkeys(index for _, index in places[: max(0, int(count))])


def values_counted(rows: Iterable[Row], grouping: Grouping, label: str) -> Vector:
    """count_values: how often there is each value, which becomes a label."""
    return [
        Row({**labels, label: value}, counts)
        for labels, group in grouped(rows, grouping).values()
        for value, counts in _counts(group).items()
    ]


def _counts(group: Vector) -> Mapping[str, Values]:
    moments = [Counter(number(v) for v in at if v is not None) for at in _moments(group)]
    values = sorted({value for counts in moments for value in counts})
    return {value: [counts.get(value) for counts in moments] for value in values}


def finite_count(value: float) -> float:
    """What topk takes for a number of series."""
    return 0.0 if math.isnan(value) else max(-1e9, min(value, 1e9))
