"""One hour of samples of every metric, in memory: a column of values a series, and one column of times for all of them.

Input: rounds, from scraper. Output: columns, for promql. A round gives each series at most one value; a series that is not in a
round after one that it was in has ended there, which is kept as Prometheus keeps it, by a mark in place of a value.
"""

from __future__ import annotations

import struct
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Labels = Mapping[str, str]
"""All labels of a series, its name among them."""

NAME: Final = "__name__"

#: Prometheus' own stale marker (model/value/value.go), a NaN that no arithmetic makes.
_STALE_BITS: Final = struct.pack(">Q", 0x7FF0000000000002)
STALE: Final[float] = struct.unpack(">d", _STALE_BITS)[0]

_SLACK: Final = 60
"""Rounds that may be too old before they are dropped, so that the columns are not moved each time."""


def is_stale(value: float) -> bool:
    return value != value and struct.pack(">d", value) == _STALE_BITS


@dataclass(frozen=True)
class Bounds:
    """``seconds`` that a sample is kept; ``series`` that there may be at a time: at 5 s, some 12 KiB each."""

    seconds: float = 3600.0
    series: int = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """Value ``i`` of a series was at ``times[first + i]``, in ms since 1970. Columns of one answer share their times.

    ``gaps``: whether there are stale marks among the values.
    """

    labels: Labels
    times: array[int]
    first: int
    values: array[float]
    gaps: bool = False


class Series:
    """``first`` is the number of the round of its first value, counted from the first round there ever was."""

    __slots__ = ("first", "gaps", "labels", "values")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.first = 0
        self.gaps = False
        self.values: array[float] = array("d")

    def put(self, number: int, value: float) -> None:
        """``number`` is that of a round after its last one."""
        if not self.values:
            self.first = number
        missed = number - self.first - len(self.values)
        if missed:
            self.values.extend([STALE] * missed)
        self.values.append(value)
        self.gaps = self.gaps or bool(missed) or is_stale(value)

    def drop_before(self, number: int) -> None:
        """What is of rounds before that one."""
        del self.values[: max(0, number - self.first)]
        self.first = max(self.first, number)


class Store:
    """Written by one task, read by any thread."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.refused = 0
        self._lock = threading.Lock()
        self._times: array[int] = array("q")
        self._first = 0
        self._series: dict[str, dict[frozenset[tuple[str, str]], Series]] = {}
        self._count = 0
        self._current: dict[Series, float] = {}

    def __len__(self) -> int:
        """Series that are kept."""
        return self._count

    @property
    def full(self) -> bool:
        return self._count >= self.bounds.series

    def series(self, labels: Labels) -> Series | None:
        """The one with these labels, made when it is new; None when there is no room for another."""
        name, key = labels[NAME], frozenset(labels.items())
        found = self._series.get(name, {}).get(key)
        if found is None and not self.full:
            with self._lock:
                found = self._series.setdefault(name, {})[key] = Series(labels)
                self._count += 1
        return found

    def add(self, at: int, values: Mapping[Series, float], refused: int = 0) -> None:
        """A round at ``at`` ms, with the values of all series that are there; ``refused`` are those without a place.

        A clock that was set back starts everything anew: times must ascend.
        """
        with self._lock:
            if self._times and at <= self._times[-1]:
                self._clear()
            number = self._first + len(self._times)
            self._times.append(at)
            for ended in self._current.keys() - values.keys():
                ended.put(number, STALE)
            for series, value in values.items():
                series.put(number, value)
            self._current, self.refused = dict(values), refused
            self._drop_old(at)

    def current(self) -> list[tuple[Labels, float]]:
        """The values of the last round."""
        with self._lock:
            return [(series.labels, value) for series, value in self._current.items()]

    def names(self) -> list[str]:
        with self._lock:
            return sorted(name for name, of_name in self._series.items() if of_name)

    def select(
        self, name: str | None, wanted: Callable[[Labels], bool], start: int, end: int
    ) -> list[Column]:
        """Series with samples from ``start`` to ``end``, in ms and both included, by name (any for None) and labels."""
        with self._lock:
            low, high = bisect_left(self._times, start), bisect_right(self._times, end)
            times = self._times[low:high]
            begin = self._first + low
            named = self._series.values() if name is None else [self._series.get(name, {})]
            found = (each for of_name in named for each in of_name.values() if wanted(each.labels))
            columns = (_column(each, times, begin, begin + len(times)) for each in found)
            return [column for column in columns if column.values]

    def _clear(self) -> None:
        self._times, self._first = array("q"), 0
        for of_name in self._series.values():
            for each in of_name.values():
                each.values, each.first, each.gaps = array("d"), 0, False

    def _drop_old(self, now: int) -> None:
        old = bisect_left(self._times, now - int(self.bounds.seconds * 1000))
        if old <= _SLACK:
            return
        del self._times[:old]
        self._first += old
        for of_name in self._series.values():
            for key, each in list(of_name.items()):
                each.drop_before(self._first)
                if not each.values:
                    del of_name[key]
                    self._count -= 1


def _column(series: Series, times: array[int], begin: int, end: int) -> Column:
    """The part of a series in the rounds from ``begin`` to before ``end``, which were at ``times``."""
    values = series.values[max(0, begin - series.first) : max(0, end - series.first)]
    return Column(series.labels, times, max(0, series.first - begin), values, series.gaps)
