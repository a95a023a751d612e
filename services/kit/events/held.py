"""Messages that are tried again here, for brokers that cannot deliver one again after a while, or not in order.

Input: messages as a broker's client gives them, one at a time. Output: Deliveries; one that is given back comes again
before the next. Meanwhile it stays unacknowledged, so that it goes to another process when this one dies.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from services.kit.events.broker import LIMIT, Unreachable


class Incoming(Protocol):
    """What all clients' messages have in common."""

    @property
    def body(self) -> bytes: ...

    async def ack(self) -> None: ...


class Held:
    """A message as a Delivery. `again` is when it was given back, in seconds from then."""

    def __init__(self, message: Incoming) -> None:
        self._message = message
        self.again: float | None = None

    @property
    def body(self) -> bytes:
        return self._message.body

    async def ack(self) -> None:
        try:
            async with asyncio.timeout(LIMIT):
                await self._message.ack()
        except Exception as error:  # each client has its own
            raise Unreachable(str(error)) from error

    async def retry(self, seconds: float) -> None:
        self.again = seconds


async def held(messages: AsyncIterator[Incoming]) -> AsyncGenerator[Held, None]:
    """Raises what `messages` raises."""
    async for message in messages:
        delivery = Held(message)
        yield delivery
        while delivery.again is not None:
            await asyncio.sleep(delivery.again)
            delivery.again = None
            yield delivery
