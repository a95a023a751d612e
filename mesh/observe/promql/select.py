"""Samples of the store, as a question's moments see them.

A sample stands for its series for 5 minutes, unless a mark says that the series ended; ranges do not hold their start, as in
Prometheus 3 (https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from mesh.observe.metrics.series import Column, Store, is_stale
from mesh.observe.promql.nodes import At, Selector
from mesh.observe.promql.rows import CannotAnswer, Row, Vector, Window, Windows

LOOKBACK_MS: Final = 300_000


@dataclass
class Budget:
    """How many samples a question may still look at: some 50 ns each."""

    left: int = 40_000_000

    def spend(self, samples: int) -> None:
        self.left -= samples
        if self.left < 0:
            raise CannotAnswer(
                "query processing would load too many samples into memory in query execution: ask for less time or a longer step"
            )


@dataclass(frozen=True)
class Asked:
    """What a question is about: ``start`` and ``end`` are those of the whole, for ``@``; ``interval`` of subqueries without a step."""

    store: Store
    start: int
    end: int
    interval: int = 5000
    budget: Budget = field(default_factory=Budget)


def moments(times: Sequence[int], offset: int, at: At, asked: Asked) -> list[int]:
    """Where a selector really looks."""
    if at is None:
        return [time - offset for time in times]
    fixed = asked.start if at == "start" else asked.end if at == "end" else at
    return [fixed - offset] * len(times)


def instant(selector: Selector, times: Sequence[int], asked: Asked) -> Vector:
    return _each(selector, times, asked, lambda column, index: column.values[index - column.first])


def timestamps(selector: Selector, times: Sequence[int], asked: Asked) -> Vector:
    """The seconds of each sample, in place of its value."""
    return _each(selector, times, asked, lambda column, index: column.times[index] / 1000)


def _each(
    selector: Selector, times: Sequence[int], asked: Asked, told: Callable[[Column, int], float]
) -> Vector:
    at = moments(times, selector.offset, selector.at, asked)
    columns = asked.store.select(selector.name, selector.wants, min(at) - LOOKBACK_MS + 1, max(at))
    asked.budget.spend(len(columns) * len(at))
    latest = [bisect_right(columns[0].times, time) - 1 for time in at] if columns else []
    return [Row(column.labels, list(_latest(column, latest, at, told))) for column in columns]


def _latest(
    column: Column, latest: Iterable[int], at: Iterable[int], told: Callable[[Column, int], float]
) -> Iterable[float | None]:
    last = column.first + len(column.values) - 1
    for index, time in zip(latest, at, strict=True):
        found = min(index, last)
        old = found < column.first or column.times[found] <= time - LOOKBACK_MS
        yield None if old or is_stale(column.values[found - column.first]) else told(column, found)


def ranges(selector: Selector, length: int, times: Sequence[int], asked: Asked) -> Windows:
    at = moments(times, selector.offset, selector.at, asked)
    columns = asked.store.select(selector.name, selector.wants, min(at) - length + 1, max(at))
    if not columns:
        return []
    lows, highs = edges(columns[0].times, at, length)
    asked.budget.spend(len(columns) * len(at))
    return [_window(column, lows, highs, at, length) for column in columns]


def edges(times: Sequence[int], ends: Sequence[int], length: int) -> tuple[list[int], list[int]]:
    """The first sample in each range, and the first after it."""
    return [bisect_right(times, end - length) for end in ends], [bisect_right(times, end) for end in ends]


def _window(
    column: Column, lows: Sequence[int], highs: Sequence[int], ends: Sequence[int], length: int
) -> Window:
    first, count = column.first, len(column.values)
    times = column.times[first : first + count]
    if column.gaps:
        return _of_what_is_there(column, times, ends, length)
    if not first and highs[-1] <= count:  # it is there all the time, as most are
        return Window(column.labels, times, column.values, lows, highs, ends, length)
    low = [min(max(each - first, 0), count) for each in lows]
    high = [min(max(each - first, 0), count) for each in highs]
    return Window(column.labels, times, column.values, low, high, ends, length)


def _of_what_is_there(column: Column, times: array[int], ends: Sequence[int], length: int) -> Window:
    pairs = [pair for pair in zip(times, column.values, strict=True) if not is_stale(pair[1])]
    there = [time for time, _ in pairs]
    return Window(
        column.labels, there, [value for _, value in pairs], *edges(there, ends, length), ends, length
    )
