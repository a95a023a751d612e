"""Server-sent events: a stream of values to a browser, with a heartbeat, that ends when its process leaves.

Input: an async iterator of `Event`. Output: a response. https://html.spec.whatwg.org/multipage/server-sent-events.html
A browser whose stream ends asks again by itself, with the id of the last event; an answer of 204 tells it not to.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from starlette.responses import StreamingResponse

from services.kit.call import CURRENT

HEARTBEAT = 15.0
RETRY = 1000  # milliseconds after which a browser asks again
_HEARTBEAT = b": still here\n\n"


@dataclass(frozen=True)
class Event:
    """`data` is sent as JSON."""

    name: str
    id: str
    data: Any

    @property
    def bytes(self) -> bytes:
        text = json.dumps(self.data, separators=(",", ":"))
        return f"event: {self.name}\nid: {self.id}\ndata: {text}\n\n".encode()


def lasting(seconds: float) -> None:
    """From here on, calls made for this request may take so long, for its answer is a stream."""
    if call := CURRENT.get():
        CURRENT.set(call.until(asyncio.get_running_loop().time() + seconds))


async def begun(source: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """The same, once the first event is there: what it fails with before is raised here, while an error can be answered."""
    first = await anext(source, None)

    async def rest() -> AsyncGenerator[Event, None]:
        async with aclosing(source):
            if first is not None:
                yield first
                async for event in source:
                    yield event

    return rest()


def response(events: AsyncGenerator[Event, None], leaving: asyncio.Event) -> StreamingResponse:
    """Ends with the events, or once `leaving` is set."""
    return StreamingResponse(_bytes(events, leaving), media_type="text/event-stream")


async def _bytes(events: AsyncGenerator[Event, None], leaving: asyncio.Event) -> AsyncIterator[bytes]:
    gone = asyncio.create_task(leaving.wait(), name="leaving")
    following: asyncio.Task[Event | None] | None = None
    yield f"retry: {RETRY}\n\n".encode()
    try:
        while not gone.done():
            following = following or asyncio.create_task(_next(events), name="next event")
            done, _ = await asyncio.wait(
                (following, gone), timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                yield _HEARTBEAT
            elif following in done:
                if (event := following.result()) is None:
                    return
                following = None
                yield event.bytes
    finally:
        await _ended(*(task for task in (gone, following) if task))
        await events.aclose()


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
