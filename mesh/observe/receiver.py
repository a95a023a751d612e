"""Takes exports of traces and metrics off the transports, decodes them and passes them on to the stores.

receive_grpc and receive_http call it; what was refused is counted here and told to the sender by them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mesh.observe import wire
from mesh.observe.limits import Counts, Limits, Reason
from mesh.observe.otlp import Decoded, Decoder, NotReadable
from mesh.observe.span import Span
from mesh.observe.wire import Message

Keep = Callable[[Sequence[Span]], bool]
"""Takes all of the spans, or none of them when it has no room. Never waits."""

KeepMetrics = Callable[[Message], Counts]
"""Takes an export of metrics, and says what of it was refused. Runs on the receiver's thread."""

Read = Callable[[bytes, Message], Message]
"""A body -> the message of that kind. Raises NotReadable and TooLarge."""

_Found = TypeVar("_Found")

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
        self,
        keep: Keep,
        limits: Limits | None = None,
        clock: Callable[[], int] = time.time_ns,
        keep_metrics: KeepMetrics = lambda export: Counts(),
    ) -> None:
        """``clock`` tells nanoseconds since 1970."""
        self.limits = limits or Limits()
        self.received = 0
        self.counts = Counts()
        self._keep = keep
        self._keep_metrics = keep_metrics
        self._clock = clock
        self._decoder = Decoder(self.limits)
        self._thread = ThreadPoolExecutor(1, "otlp")
        self._waiting = 0

    async def take(self, body: bytes, read: Read) -> Message:
        """The answer to an export of traces. Raises NotReadable, TooLarge and Overloaded, each counted as one refusal."""
        decoded = await self._counted(self._spans(body, read))
        self.received += len(decoded.spans)
        self.counts.update(decoded.reasons)
        return _answer(decoded.refused, decoded.reasons)

    async def take_metrics(self, body: bytes, read: Read) -> Message:
        """The answer to an export of metrics. Raises as take does."""
        refused = await self._counted(self._on_thread(body, lambda: self._metrics(body, read)))
        self.counts.update(refused)
        if not refused:
            return wire.MetricsResponse()
        told = {"rejected_data_points": refused.total(), "error_message": _said(refused)}
        return wire.MetricsResponse(partial_success=told)

    def pass_over(self, signal: str) -> Message:
        """The answer to an export of logs, which nobody keeps: not an error, or senders would complain."""
        self.counts[Reason.NOT_KEPT] += 1
        return wire.Response(partial_success={"error_message": f"{signal} are not kept here"})

    def close(self) -> None:
        """Waits for the decoding under way. Nothing may be taken afterwards."""
        self._thread.shutdown()

    async def _counted(self, taken: Awaitable[_Found]) -> _Found:
        try:
            return await taken
        except tuple(_REASONS) as told:
            self.counts[_REASONS[type(told)]] += 1
            raise

    async def _spans(self, body: bytes, read: Read) -> Decoded:
        decoded = await self._on_thread(body, lambda: self._decode(body, read))
        if decoded.spans and not self._keep(decoded.spans):
            raise Overloaded("too many spans are waiting to be written")
        return decoded

    async def _on_thread(self, body: bytes, decode: Callable[[], _Found]) -> _Found:
        if len(body) > self.limits.request_bytes:
            raise TooLarge(f"an export may have {self.limits.request_bytes} bytes: send less at once")
        if self._waiting + len(body) > WAITING * self.limits.request_bytes:
            raise Overloaded("too many exports are waiting to be decoded")
        self._waiting += len(body)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, decode)
        finally:
            self._waiting -= len(body)

    def _decode(self, body: bytes, read: Read) -> Decoded:
        return self._decoder.decode(read(body, wire.Request), self._clock())

    def _metrics(self, body: bytes, read: Read) -> Counts:
        return self._keep_metrics(read(body, wire.MetricsRequest))


def _answer(refused: int, reasons: Counts) -> Message:
    """https://opentelemetry.io/docs/specs/otlp/#partial-success: nothing is set when all is well."""
    if not reasons:
        return wire.Response()
    return wire.Response(partial_success={"rejected_spans": refused, "error_message": _said(reasons)})


def _said(reasons: Counts) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(reasons.items()))
