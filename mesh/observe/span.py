"""One span as every part of this package sees it: otlp makes them, spans keeps them, jaeger and topology read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = str | bool | int | float


class Kind(StrEnum):
    """The side of a call that a span is about, as Jaeger's tag ``span.kind`` spells it."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Status(StrEnum):
    """What the instrumented code said about the outcome; mostly nothing."""

    UNSET = "UNSET"
    OK = "OK"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Span:
    """Ids are lower-case hex: 32 digits for the trace, 16 for the span; ``parent_id`` is "" at a root.

    Times are nanoseconds since 1970, and ``end_ns`` is never before ``start_ns``. ``attributes`` holds those of
    the resource too; lists and maps are JSON text.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    workload: str
    operation: str
    kind: Kind
    start_ns: int
    end_ns: int
    status: Status
    attributes: Mapping[str, Value]

    @property
    def duration_ns(self) -> int:
        return self.end_ns - self.start_ns
