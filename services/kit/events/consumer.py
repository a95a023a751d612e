"""Handles events: each once, those of one aggregate in order.

Input: what a broker delivers. Output: what the service's own handler makes of it, in the service's own database, in one
transaction with the inbox. A handler changes that database and nothing else; what must reach others goes on from there.

1. An event that is in the inbox already is acknowledged and nothing happens.
2. A handler that fails is tried again, less and less often; the events behind it wait.
3. One that fails `Pace.tries` times is held for people, and each later one of its aggregate waits in the inbox until
   it was replayed or discarded; all others go on. What is no event is held at once.
4. A database or a broker that cannot be reached is nobody's fault: it is tried again and not counted.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.message import DecodeError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.typing import FilteringBoundLogger

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit.call import CURRENT, Call, Origin
from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.events import inbox, tracing
from services.kit.events.broker import Broker, Delivery, Unreachable
from services.kit.events.inbox import Arrived
from services.kit.telemetry import SILENT, Kind, Telemetry

Handle = Callable[[AsyncConnection, Envelope], Awaitable[None]]


@dataclass(frozen=True)
class Pace:
    """Seconds. A handler is given up after `handle`, which is less than broker.HOLD. What is done is forgotten after
    `kept`, which is longer than any broker keeps a message."""

    handle: float = 4.0
    first_retry: float = 0.2
    longest_retry: float = 10.0
    tries: int = 6
    look: float = 1.0
    forget: float = 3600.0
    kept: float = 14 * 24 * 3600.0

    def retry(self, failures: int) -> float:
        """After so many failures in a row, 0 for the first."""
        return min(self.first_retry * 2.0 ** min(failures, 20), self.longest_retry)


@dataclass(frozen=True)
class Subscription:
    """What a service wants to hear of, and what it does with it. `durable` is its name. A `handle` ignores payloads that
    it does not know."""

    topic: str
    durable: str
    handle: Handle


@dataclass(frozen=True)
class Tools:
    """What a consumer works with."""

    database: Database
    broker: Broker
    now: Callable[[], datetime]
    log: FilteringBoundLogger
    origin: Origin
    telemetry: Telemetry = SILENT


class Consumer:
    """One a process and topic; several processes share the work, one event at a time between them."""

    def __init__(self, subscription: Subscription, tools: Tools, pace: Pace = Pace()) -> None:
        self._subscription = subscription
        self._tools = tools
        self._pace = pace
        self._failures = 0

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work_off())
            tasks.create_task(self._forget())
            while True:
                try:
                    await self._consume()
                except Unreachable as error:
                    if not self._failures:
                        self._tools.log.warning("the broker cannot be reached", reason=str(error))
                    await asyncio.sleep(self._pace.retry(self._failures))
                    self._failures += 1

    async def _consume(self) -> None:
        """Until the broker is gone. Raises Unreachable."""
        topic, durable = self._subscription.topic, self._subscription.durable
        async with self._tools.broker.subscribe(topic, durable) as deliveries:
            async for delivery in deliveries:
                self._failures = 0
                again = await self._deliver(delivery)
                if again is None:
                    await delivery.ack()
                else:
                    await delivery.retry(again)

    async def _deliver(self, delivery: Delivery) -> float | None:
        """None when it is over with, or the seconds after which it should come again."""
        envelope = _read(delivery.body)
        if envelope is None:
            return await self._hold_unreadable(delivery.body)
        event = inbox.arrived(envelope, delivery.body)
        try:
            async with self._tools.database.write() as connection:
                now = self._tools.now()
                if await inbox.queued(connection, event, now):
                    return None
                if await inbox.claim(connection, event, now):
                    await self._handle(connection, envelope)
        except Unavailable:
            return self._pace.look
        except Exception as error:
            return await self._failed(event, error)
        return None

    async def _handle(self, connection: AsyncConnection, envelope: Envelope) -> None:
        """The handler, in the trace of what it is about."""
        headers = (("traceparent", envelope.traceparent),) if envelope.traceparent else ()
        work = tracing.work("process", envelope.aggregate_kind, Kind.CONSUMER)
        clock = asyncio.get_running_loop().time
        started, failed = clock(), True
        call = Call(work.name, started + self._pace.handle, lambda: headers, self._tools.origin)
        outer = CURRENT.set(call)
        try:
            async with asyncio.timeout(self._pace.handle):
                await self._subscription.handle(connection, envelope)
            failed = False
        finally:
            CURRENT.reset(outer)
            if self._tools.telemetry.records:
                self._tools.telemetry.did(work, call.span, failed, started, clock())

    async def _failed(self, event: Arrived, error: Exception) -> float | None:
        try:
            async with self._tools.database.write() as connection:
                failures = await inbox.failed(connection, event, repr(error), self._tools.now())
            if failures >= self._pace.tries:
                await self._hold(event, error)
                return None
        except Unavailable:
            return self._pace.look
        self._tools.log.warning(
            "an event was not handled", **_about(event), failures=failures, exc_info=error
        )
        return self._pace.retry(failures - 1)

    async def _hold_unreadable(self, body: bytes) -> float | None:
        event = Arrived(hashlib.sha256(body).hexdigest(), self._subscription.topic, "", 0, body)
        try:
            async with self._tools.database.write() as connection:
                await inbox.hold(connection, event, "not an event of the contract", self._tools.now())
        except Unavailable:
            return self._pace.look
        self._tools.log.error("what arrived is no event; it is held", **_about(event))
        return None

    async def _work_off(self) -> None:
        """Handles what waits in the inbox, for ever."""
        while True:
            with contextlib.suppress(Unavailable):
                while await self._handle_waiting():
                    pass
            await asyncio.sleep(self._pace.look)

    async def _handle_waiting(self) -> bool:
        """Whether there was one. Raises Unavailable."""
        async with self._tools.database.read() as connection:
            if await inbox.next_waiting(connection, self._subscription.topic) is None:
                return False
        event = None
        try:
            async with self._tools.database.write() as connection:
                event = await inbox.next_waiting(connection, self._subscription.topic)
                if event is None:
                    return False
                await inbox.done(connection, event, self._tools.now())
                await self._handle(connection, Envelope.FromString(event.body))
        except Unavailable:
            raise
        except Exception as error:
            if event is None:
                raise
            await self._hold(event, error)
        else:
            self._tools.log.info("an event was handled from the inbox", **_about(event))
        return True

    async def _hold(self, event: Arrived, error: Exception) -> None:
        async with self._tools.database.write() as connection:
            await inbox.hold(connection, event, repr(error), self._tools.now())
        self._tools.log.error("an event is held until it is replayed", **_about(event), exc_info=error)

    async def _forget(self) -> None:
        while True:
            with contextlib.suppress(Unavailable):
                async with self._tools.database.write() as connection:
                    await inbox.forget(connection, self._tools.now() - timedelta(seconds=self._pace.kept))
            await asyncio.sleep(self._pace.forget)


def _read(body: bytes) -> Envelope | None:
    try:
        envelope = Envelope.FromString(body)
    except DecodeError:
        return None
    return envelope if envelope.event_id else None


def _about(event: Arrived) -> dict[str, str]:
    return {"event_id": event.id, "aggregate": f"{event.kind}/{event.aggregate}"}
