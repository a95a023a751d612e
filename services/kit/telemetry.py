"""Traces and metrics of calls, kept until services/kit/otlp.py fetches them.

Input: boundary and channel tell of each call when it ends, http/boundary of each request. Output: finished spans, and a
histogram of durations for each method and status; the last value of each gauge; and what was counted. Written for the hot path, since the stock instrumentation costs a third of the throughput: a call
that is not sampled costs a look-up and three additions, and nothing at all where nothing is exported.
"""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from grpc import StatusCode

from services.kit.call import Call
from services.kit.trace import Span

BOUNDS = (
    0.0,
    5.0,
    10.0,
    25.0,
    50.0,
    75.0,
    100.0,
    250.0,
    500.0,
    750.0,
    1000.0,
    2500.0,
    5000.0,
    7500.0,
    10000.0,
)
"""Milliseconds: OpenTelemetry's default bounds of a histogram."""
Code = StatusCode | int
"""How a call ended: gRPC's status, or HTTP's."""
KEPT = 4096
"""Spans kept between two exports; then the oldest go, and are counted."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something that has a value at any time; the unit as UCUM writes it."""

    name: str
    description: str
    unit: str


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that only grows; the unit as UCUM writes it."""

    name: str
    description: str
    unit: str


class Kind(StrEnum):
    """OpenTelemetry's kinds of a span that is not a call."""

    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class Work:
    """What is recorded beside calls: work on a database or with a broker. Attributes by OpenTelemetry's conventions."""

    name: str
    kind: Kind
    attributes: tuple[tuple[str, str], ...]


class Telemetry(Protocol):
    """What is told of each call, and of other things now and then; times on the event loop's clock, in seconds."""

    @property
    def records(self) -> bool:
        """Whether anything is kept: what costs something to find out is not told otherwise."""
        ...

    def did(self, work: Work, span: Span, faulty: bool, started: float, ended: float) -> None: ...

    def served(self, call: Call, code: Code, started: float, ended: float) -> None: ...

    def called(self, path: str, span: Span, code: Code, started: float, ended: float) -> None: ...

    def measured(self, gauge: Gauge, value: float) -> None: ...

    def counted(self, counter: Counter, more: float, **labels: str) -> None: ...


class Silent:
    """Where nothing is exported."""

    records = False

    def did(self, work: Work, span: Span, faulty: bool, started: float, ended: float) -> None:
        """Keeps nothing."""

    def served(self, call: Call, code: Code, started: float, ended: float) -> None:
        """Keeps nothing."""

    def called(self, path: str, span: Span, code: Code, started: float, ended: float) -> None:
        """Keeps nothing."""

    def measured(self, gauge: Gauge, value: float) -> None:
        """Keeps nothing."""

    def counted(self, counter: Counter, more: float, **labels: str) -> None:
        """Keeps nothing."""


SILENT = Silent()


@dataclass(slots=True)
class Durations:
    """A histogram: `counts` has one place more than BOUNDS; `total` in milliseconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """A span that ended; times as they were told."""

    path: str
    span: Span
    server: bool
    code: Code
    started: float
    ended: float


@dataclass(frozen=True, slots=True)
class Done:
    """A span of work that ended; times as they were told."""

    work: Work
    span: Span
    faulty: bool
    started: float
    ended: float


class Recorder:
    """Keeps spans and durations. `dropped` counts spans that nobody fetched in time."""

    records = True

    def __init__(self) -> None:
        self.durations: dict[tuple[str, Code], Durations] = {}
        self.gauges: dict[Gauge, float] = {}
        self.counts: dict[Counter, dict[tuple[tuple[str, str], ...], float]] = {}
        self.dropped = 0
        self._spans: deque[Finished | Done] = deque(maxlen=KEPT)

    def served(self, call: Call, code: Code, started: float, ended: float) -> None:
        durations = self.durations.get((call.method, code))
        if durations is None:
            durations = self.durations[call.method, code] = Durations()
        took = (ended - started) * 1000
        durations.counts[bisect_left(BOUNDS, took)] += 1
        durations.total += took
        if call.span.sampled:
            self._keep(Finished(call.method, call.span, True, code, started, ended))

    def called(self, path: str, span: Span, code: Code, started: float, ended: float) -> None:
        if span.sampled:
            self._keep(Finished(path, span, False, code, started, ended))

    def measured(self, gauge: Gauge, value: float) -> None:
        self.gauges[gauge] = value

    def counted(self, counter: Counter, more: float, **labels: str) -> None:
        """``labels`` have few values: each is a series more."""
        counts, key = self.counts.setdefault(counter, {}), tuple(sorted(labels.items()))
        counts[key] = counts.get(key, 0.0) + more

    def did(self, work: Work, span: Span, faulty: bool, started: float, ended: float) -> None:
        if span.sampled:
            self._keep(Done(work, span, faulty, started, ended))

    def _keep(self, finished: Finished | Done) -> None:
        self.dropped += len(self._spans) == KEPT
        self._spans.append(finished)

    def take(self) -> list[Finished | Done]:
        """The spans since the last time, oldest first."""
        taken = list(self._spans)
        self._spans.clear()
        return taken
