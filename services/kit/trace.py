"""W3C trace context: which trace a call belongs to, and whether it is recorded.

Input: the traceparent header of a call. Output: `Span`, put into logs, outgoing calls and telemetry. Works the same
with and without an exporter, so that a trace id is in the logs always. https://www.w3.org/TR/trace-context/
"""

import random
import re
from dataclasses import dataclass

_HEADER = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Span:
    """Ids in lower-case hex; `parent` is empty for the first of a trace."""

    trace_id: str
    span_id: str
    parent: str
    sampled: bool

    @property
    def header(self) -> str:
        """The traceparent for what this span calls."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def continued(traceparent: str | None, share: float, source: random.Random) -> Span:
    """A span under `traceparent`, whose decision on sampling it keeps; or, without a valid one, the first span of a
    trace, recorded in `share` of all cases."""
    found = _HEADER.fullmatch(traceparent) if traceparent else None
    if found:
        return Span(found[1], _span_id(source), found[2], bool(int(found[3], 16) & 1))
    return Span(f"{source.getrandbits(128) or 1:032x}", _span_id(source), "", source.random() < share)


def under(parent: Span, source: random.Random) -> Span:
    """A span inside `parent`, in the same process."""
    return Span(parent.trace_id, _span_id(source), parent.span_id, parent.sampled)


def _span_id(source: random.Random) -> str:
    return f"{source.getrandbits(64) or 1:016x}"
