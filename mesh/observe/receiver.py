"""Takes exports of traces off the transports, decodes them and passes the spans on to the store.

receive_grpc and receive_http call it; what was refused is counted here and told to the sender by them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from mesh.observe import wire
from mesh.observe.limits import Counts, Limits, Reason
from mesh.observe.otlp import Decoded, Decoder, NotReadable
from mesh.observe.span import Span
from mesh.observe.wire import Message

Keep = Callable[[Sequence[Span]], bool]
"""Takes all of the spans, or none of them when it has no room. Never waits."""

Read = Callable[[bytes], Message]

WAITING = 16
"""Times a request's largest size: what the bodies that wait for the thread may take of memory."""


class TooLarge(Exception):
    """The body is larger than the limit. Not to be sent again."""


class Overloaded(Exception):
    """There is no room now. To be sent again later."""


_REASONS: dict[type[Exception], Reason] = {
    NotReadable: Reason.NOT_READABLE,
    TooLarge: Reason.TOO_LARGE,
    Overloaded: Reason.QUEUE_FULL,
}


class Receiver:
    """Decodes on one thread of its own, so that no export, however large, stops the event loop."""

    def __init__(
        self, keep: Keep, limits: Limits | None = None, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """``clock`` tells nanoseconds since 1970."""
        self.limits = limits or Limits()
        self.received = 0
        self.counts = Counts()
        self._keep = keep
        self._clock = clock
        self._decoder = Decoder(self.limits)
        self._thread = ThreadPoolExecutor(1, "otlp")
        self._waiting = 0

    async def take(self, body: bytes, read: Read) -> Message:
        """The answer to an export. Raises NotReadable, TooLarge and Overloaded, each counted as one refusal."""
        try:
            decoded = await self._decoded(body, read)
        except tuple(_REASONS) as told:
            self.counts[_REASONS[type(told)]] += 1
            raise
        self.received += len(decoded.spans)
        self.counts.update(decoded.reasons)
        return _answer(decoded)

    def pass_over(self, signal: str) -> Message:
        """The answer to an export of metrics or logs, which nobody keeps: not an error, or senders would complain."""
        self.counts[Reason.NOT_TRACES] += 1
        return wire.Response(partial_success={"error_message": f"{signal} are not kept here"})

    def close(self) -> None:
        """Waits for the decoding under way. Nothing may be taken afterwards."""
        self._thread.shutdown()

    async def _decoded(self, body: bytes, read: Read) -> Decoded:
        if len(body) > self.limits.request_bytes:
            raise TooLarge(f"an export may have {self.limits.request_bytes} bytes: send fewer spans at once")
        if self._waiting + len(body) > WAITING * self.limits.request_bytes:
            raise Overloaded("too many exports are waiting to be decoded")
        self._waiting += len(body)
        try:
            decoded = await asyncio.get_running_loop().run_in_executor(self._thread, self._decode, body, read)
        finally:
            self._waiting -= len(body)
        if decoded.spans and not self._keep(decoded.spans):
            raise Overloaded("too many spans are waiting to be written")
        return decoded

    def _decode(self, body: bytes, read: Read) -> Decoded:
        return self._decoder.decode(read(body), self._clock())


def _answer(decoded: Decoded) -> Message:
    """https://opentelemetry.io/docs/specs/otlp/#partial-success: nothing is set when all is well."""
    if not decoded.reasons:
        return wire.Response()
    told = ", ".join(f"{reason}: {count}" for reason, count in sorted(decoded.reasons.items()))
    return wire.Response(partial_success={"rejected_spans": decoded.refused, "error_message": told})
