"""Functions of a range of samples: rates, and what is said of values over time.

Sources: https://prometheus.io/docs/prometheus/latest/querying/functions/, and Prometheus' promql/functions.go for how a rate is
carried on to the ends of its range.
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import gt
from typing import Final

from mesh.observe.promql.rows import Values, Window

Sampled = Callable[[Sequence[float]], float]


def extrapolated(window: Window, counter: bool, rate: bool) -> Values:
    """How much more, or with ``rate`` how much a second: as if the samples went on to both ends of the range, where they nearly do."""
    resets = _reset_at(window.values) if counter else []
    unit = window.length / 1000 if rate else 1
    return [
        _carried(window, low, high, end, counter, resets) / unit if high - low > 1 else None
        for low, high, end in zip(window.lows, window.highs, window.ends, strict=True)
    ]


def _carried(window: Window, low: int, high: int, end: int, counter: bool, resets: Sequence[int]) -> float:
    """To an end of the range, or half of what is usual between two samples where it is too far for one more."""
    values, first, last = window.values, window.times[low], window.times[high - 1]
    grown, sampled = values[high - 1] - values[low], last - first
    if resets:
        lost = resets[bisect_right(resets, low) : bisect_left(resets, high)]
        grown += sum(values[index - 1] for index in lost)
    average = sampled / (high - low - 1)
    reach, gap, rest = average * 1.1, first - end + window.length, end - last
    before = gap if gap < reach else average / 2
    after = rest if rest < reach else average / 2
    if counter and grown > 0 and values[low] >= 0:
        before = min(before, sampled * values[low] / grown)
    return grown * (sampled + before + after) / sampled


def _reset_at(values: Sequence[float]) -> list[int]:
    """Where a counter has begun anew."""
    if not any(map(gt, values, islice(values, 1, None))):
        return []
    return [index for index in range(1, len(values)) if values[index] < values[index - 1]]


def _reach(gap: int, average: float) -> float:
    """How far samples are carried on at an end: to it, or half of what is usual between two where it is too far for one more."""
    return gap if gap < average * 1.1 else average / 2


def latest_change(window: Window, counter: bool, rate: bool) -> Values:
    """Between the last two samples: irate and idelta."""
    return [
        _step(window, high, counter, rate) if high - low > 1 else None
        for low, high in zip(window.lows, window.highs, strict=True)
    ]


def _step(window: Window, high: int, counter: bool, rate: bool) -> float:
    before, last = window.values[high - 2], window.values[high - 1]
    grown = last if counter and last < before else last - before
    seconds = (window.times[high - 1] - window.times[high - 2]) / 1000
    return grown / seconds if rate else grown


def regression(window: Window, ahead: Sequence[float] | None) -> Values:
    """deriv: the slope a second by least squares; predict_linear: the value ``ahead`` seconds after the range's end."""
    found: list[float | None] = []
    for index, (low, high, end) in enumerate(zip(window.lows, window.highs, window.ends, strict=True)):
        if high - low < 2:
            found.append(None)
            continue
        times, values = window.times[low:high], window.values[low:high]
        zero = end if ahead is not None else times[0]
        slope, intercept = _line([(time - zero) / 1000 for time in times], values)
        found.append(slope if ahead is None else slope * ahead[index] + intercept)
    return found


def _line(times: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    if all(value == values[0] for value in values):
        return (0.0, values[0]) if math.isfinite(values[0]) else (math.nan, math.nan)
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    covariance = sum((time - middle) * (value - mean) for time, value in zip(times, values, strict=True))
    slope = covariance / sum((time - middle) ** 2 for time in times)
    return slope, mean - slope * middle


def over_time(window: Window, sampled: Sampled) -> Values:
    return [sampled(found) if found else None for found in in_ranges(window)]


def in_ranges(window: Window) -> Iterator[Sequence[float]]:
    for low, high in zip(window.lows, window.highs, strict=True):
        yield window.values[low:high]


def total(values: Sequence[float]) -> float:
    """Without what adding up one by one loses."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return sum(values)


def mean(values: Sequence[float]) -> float:
    return total(values) / len(values)


def least(values: Sequence[float]) -> float:
    """What is no number counts only where there is nothing else."""
    return min((value for value in values if value == value), default=math.nan)


def most(values: Sequence[float]) -> float:
    return max((value for value in values if value == value), default=math.nan)


def variance(values: Sequence[float]) -> float:
    return statistics.pvariance(values) if all(map(math.isfinite, values)) else math.nan


def deviation(values: Sequence[float]) -> float:
    return math.sqrt(variance(values))


def quantile(share: float, values: Sequence[float]) -> float:
    """By linear interpolation between the two nearest."""
    if not values or math.isnan(share):
        return math.nan
    if not 0 <= share <= 1:
        return math.copysign(math.inf, share)
    ordered = sorted(values, key=lambda value: (value == value, value))
    rank = share * (len(ordered) - 1)
    lower = math.floor(rank)
    upper, weight = min(lower + 1, len(ordered) - 1), rank - lower
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def _changes(values: Sequence[float]) -> float:
    pairs = zip(values, islice(values, 1, None), strict=False)
    return float(sum(a != b and not (a != a and b != b) for a, b in pairs))


def _resets(values: Sequence[float]) -> float:
    return float(sum(map(gt, values, islice(values, 1, None))))


#: By the function's name.
OVER_TIME: Final[dict[str, Sampled]] = {
    "avg_over_time": mean,
    "changes": _changes,
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: values[-1],
    "max_over_time": most,
    "min_over_time": least,
    "present_over_time": lambda values: 1.0,
    "resets": _resets,
    "stddev_over_time": deviation,
    "stdvar_over_time": variance,
    "sum_over_time": total,
}
RATES: Final[dict[str, Callable[[Window], Values]]] = {
    "delta": lambda window: extrapolated(window, counter=False, rate=False),
    "deriv": lambda window: regression(window, None),
    "idelta": lambda window: latest_change(window, counter=False, rate=False),
    "increase": lambda window: extrapolated(window, counter=True, rate=False),
    "irate": lambda window: latest_change(window, counter=True, rate=True),
    "rate": lambda window: extrapolated(window, counter=True, rate=True),
}
