"""The call that is being answered: what its logs say of it and what the calls it makes inherit.

Made by boundary at the start of each call; read by logs, telemetry and channel. A context variable, so that code in
between need not hand it on. Everything is worked out when it is first asked for: most calls are neither logged nor
recorded and call nobody, and should not pay.
"""

import random
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from services.kit import trace
from services.kit.trace import Span

Headers = tuple[tuple[str, str], ...]
INHERITED = ("x-request-id", "baggage", "tracestate")
FAULT = "x-fault-"


@dataclass(frozen=True)
class Origin:
    """What a process decides about the traces that begin in it: the share that is recorded, and where ids come from.
    In development calls pass on the faults that are meant for services further on."""

    share: float
    random: random.Random
    development: bool


class Call:
    """`deadline` on the event loop's clock, in seconds. `read` gives the headers the call came with."""

    __slots__ = ("_headers", "_origin", "_read", "_span", "deadline", "method")

    def __init__(
        self, method: str, deadline: float, read: Callable[[], Iterable[tuple[str, str]]], origin: Origin
    ) -> None:
        self.method = method
        self.deadline = deadline
        self._read = read
        self._origin = origin
        self._headers: dict[str, str] | None = None
        self._span: Span | None = None

    @property
    def headers(self) -> dict[str, str]:
        if self._headers is None:
            self._headers = dict(self._read())
        return self._headers

    @property
    def span(self) -> Span:
        if self._span is None:
            self._span = trace.continued(
                self.headers.get("traceparent"), self._origin.share, self._origin.random
            )
        return self._span

    def inside(self) -> Span:
        """A span of something that is done for it in this process."""
        return trace.under(self.span, self._origin.random)

    @property
    def correlation_id(self) -> str:
        return self.headers.get("x-request-id") or self.span.trace_id

    @property
    def inherited(self) -> Headers:
        """The headers that outgoing calls carry on."""
        passed = tuple((name, self.headers[name]) for name in INHERITED if name in self.headers)
        if self._origin.development:
            passed += tuple(item for item in self.headers.items() if item[0].startswith(FAULT))
        return passed

    def until(self, deadline: float) -> "Call":
        """The same call with another deadline: work that goes on for it after it was answered."""
        later = Call(self.method, deadline, self.headers.items, self._origin)
        later._span = self.span
        return later


CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)
