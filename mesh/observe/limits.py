"""How much of what is sent is kept: sizes, clocks and the number of different names. Anybody on this machine may send."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why something sent was not kept as it was: four that cost a request, four a span, five only a part of one, two a metric's point."""

    NOT_READABLE = "not_readable"
    TOO_LARGE = "too_large"
    QUEUE_FULL = "queue_full"
    NOT_KEPT = "not_kept"

    WRONG_ID = "wrong_id"
    FROM_THE_FUTURE = "from_the_future"
    TOO_OLD = "too_old"
    TOO_MANY_SERVICES = "too_many_services"

    TOO_MANY_OPERATIONS = "too_many_operations"
    ENDS_BEFORE_IT_STARTS = "ends_before_it_starts"
    OWN_PARENT = "own_parent"
    LONG_NAME = "long_name"
    ATTRIBUTES_CUT = "attributes_cut"

    NO_KNOWN_METRIC = "no_known_metric"
    TOO_MANY_SERIES = "too_many_series"


@dataclass(frozen=True)
class Limits:
    """Sizes are in bytes on the wire and in characters in a span; times are in seconds.

    ``operations`` are of one service, ``names`` of all together; ``series`` are of metrics that are sent, and ``labels`` of one of them.

    128 attributes are OpenTelemetry's own limit, and 4 MiB is gRPC's for a message.
    """

    request_bytes: int = 4 << 20
    name: int = 256
    attributes: int = 128
    value: int = 4096
    span_text: int = 16_384
    ahead: float = 60.0
    age: float = 24 * 3600.0
    services: int = 1000
    operations: int = 1000
    names: int = 20_000
    names_last: float = 3600.0
    series: int = 5000
    labels: int = 32


class Names:
    """The services and operations seen in the last while: a bound on what a list of them can grow to.

    Forgets everything each ``names_last`` seconds, so that yesterday's names do not use up today's places.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._since = 0.0
        self._seen: dict[str, set[str]] = {}
        self._operations = 0

    def at(self, now: float) -> None:
        """``now`` is in seconds and on one clock from call to call."""
        if now - self._since >= self._limits.names_last:
            self._since = now
            self._seen.clear()
            self._operations = 0

    def service(self, name: str) -> bool:
        """Whether a span of this service is kept."""
        if name not in self._seen and len(self._seen) >= self._limits.services:
            return False
        self._seen.setdefault(name, set())
        return True

    def operation(self, service: str, name: str) -> bool:
        """Whether this operation of a service is kept under its own name."""
        seen = self._seen[service]
        if name in seen:
            return True
        if len(seen) >= self._limits.operations or self._operations >= self._limits.names:
            return False
        seen.add(name)
        self._operations += 1
        return True


Counts = Counter[Reason]
