"""histogram_quantile: buckets of classic histograms -> the value within which a share of all lies.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile, and Prometheus' promql/quantile.go
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from mesh.observe.metrics.series import Labels
from mesh.observe.promql.rows import Row, Vector, key, nameless

_Buckets = Sequence[tuple[float, float]]
"""The largest value of each, and how many are in it and those before; in order."""


def quantiles(shares: Sequence[float], rows: Vector) -> Vector:
    """By all labels but ``le``. Rows without a number there are passed over."""
    groups: dict[frozenset[tuple[str, str]], tuple[Labels, list[tuple[float, Row]]]] = {}
    for row in rows:
        bound = _bound(row.labels.get("le", ""))
        if bound is not None:
            labels = {name: value for name, value in nameless(row.labels).items() if name != "le"}
            groups.setdefault(key(labels), (labels, []))[1].append((bound, row))
    return [Row(labels, _quantiles(shares, of_group)) for labels, of_group in groups.values()]


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _quantiles(shares: Sequence[float], group: Sequence[tuple[float, Row]]) -> list[float | None]:
    ordered = sorted(group, key=lambda each: each[0])
    bounds = [bound for bound, _ in ordered]
    moments = zip(*(row.values for _, row in ordered), strict=True)
    return [_at(share, bounds, counts) for share, counts in zip(shares, moments, strict=True)]


def _at(share: float, bounds: Sequence[float], counts: Sequence[float | None]) -> float | None:
    found: defaultdict[float, float] = defaultdict(float)
    for bound, count in zip(bounds, counts, strict=True):
        if count is not None:
            found[bound] += count
    return quantile(share, list(found.items())) if found else None


def quantile(share: float, buckets: _Buckets) -> float:
    """By linear interpolation within a bucket; the largest finite bound for what is in the last."""
    if math.isnan(share):
        return math.nan
    if not 0 <= share <= 1:
        return math.copysign(math.inf, share)
    if buckets[-1][0] != math.inf or len(buckets) < 2:
        return math.nan
    counts = _ascending([count for _, count in buckets])
    if not counts[-1]:
        return math.nan
    rank = share * counts[-1]
    index = next((n for n, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(counts) - 1:
        return buckets[-2][0]
    end = buckets[index][0]
    if index == 0 and end <= 0:
        return end
    start, below = (buckets[index - 1][0], counts[index - 1]) if index else (0.0, 0.0)
    within = counts[index] - below
    return start + (end - start) * ((rank - below) / within if within else math.nan)


def _ascending(counts: Sequence[float]) -> list[float]:
    """Buckets that were read one after the other may seem to hold less than the one before."""
    found: list[float] = []
    for count in counts:
        found.append(max(count, found[-1]) if found else count)
    return found
