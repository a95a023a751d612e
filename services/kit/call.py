"""The call that is being answered: what its logs say of it and what the calls it makes inherit.

Written by boundary at the start of each call; read by logs and channel. A context variable, so that code in between
need not hand it on.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from services.kit.trace import Span

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """`deadline` on the event loop's clock, in seconds. `inherited` are the headers that outgoing calls carry on:
    x-request-id, baggage, tracestate and, in development, the faults meant for services further on."""

    method: str
    span: Span
    correlation_id: str
    deadline: float
    inherited: Headers


CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)
