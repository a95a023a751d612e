"""Publishes what is in the outbox: at least once, those of one aggregate in order.

Input: the outbox of this service's database. Output: messages to the broker, and an outbox without them. One process
relays at a time, by a lease; when it dies, another begins where it left off, and publishes again what it may have
published already.

1. Events of different aggregates are published side by side, those of one aggregate one after the other.
2. A broker that cannot be reached is tried again, less and less often; this is no event's fault and is not counted.
3. An event that the broker rejects is tried `Pace.tries` times, then it is a dead letter, for people to replay or
   discard (deadletters). Meanwhile its aggregate waits, and no other does.
4. With nothing to do, the next look comes soon after something is added in this process, and else after a while.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from structlog.typing import FilteringBoundLogger

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit import trace
from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.events import lease, outbox, tracing
from services.kit.events.broker import Broker, Message, Rejected, Unreachable
from services.kit.events.outbox import Outbox, Waiting
from services.kit.telemetry import SILENT, Kind, Telemetry

LEASE = "relay"


@dataclass(frozen=True)
class Pace:
    """Seconds. A round and the last publish that begins in it end before the lease does."""

    lease: float = 6.0
    round: float = 2.0
    look: float = 0.5
    soonest: float = 0.005
    first_retry: float = 0.1
    longest_retry: float = 5.0
    tries: int = 8
    batch: int = 128

    def retry(self, failures: int) -> float:
        """After so many failures in a row, 0 for the first."""
        return min(self.first_retry * 2.0 ** min(failures, 20), self.longest_retry)


@dataclass(frozen=True)
class Tools:
    """What a relay works with. `owner` names the process."""

    database: Database
    outbox: Outbox
    broker: Broker
    owner: str
    now: Callable[[], datetime]
    random: random.Random
    log: FilteringBoundLogger
    telemetry: Telemetry = SILENT


@dataclass
class Round:
    """What became of a batch."""

    published: list[str] = field(default_factory=list)
    rejected: list[tuple[Waiting, str]] = field(default_factory=list)
    unreachable: str = ""


class Relay:
    """One a process."""

    def __init__(self, tools: Tools, pace: Pace = Pace()) -> None:
        self._tools = tools
        self._pace = pace
        self._leased_until = tools.now()
        self._failures = 0

    async def run(self) -> None:
        """For ever; when cancelled, leaves the lease to another."""
        added, idle = self._tools.outbox.added, self._pace.look
        try:
            while True:
                if added.is_set():
                    added.clear()
                    idle = self._pace.soonest
                pause = await self._look()
                if pause is not None:
                    await asyncio.sleep(pause)
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(added.wait(), idle)
                idle = min(2 * idle, self._pace.look)
        finally:
            await self._leave()

    async def _look(self) -> float | None:
        """One round. The seconds to pause after it; None when all that could be done is done."""
        try:
            if not await self._leads():
                return self._pace.lease / 3
            async with self._tools.database.read() as connection:
                batch = await outbox.due(connection, self._tools.now(), self._pace.batch)
            if not batch:
                return None
            done = await self._publish(batch)
            await self._keep(done)
        except Unavailable:  # the database
            return self._pace.look
        except (
            Exception
        ):  # a broker's client is not ours; the service goes on without its events being published
            self._tools.log.exception("a mistake in the relay")
            return self._pace.longest_retry
        if done.unreachable:
            return self._back_off(done.unreachable)
        self._failures = 0
        return 0 if done.published else None

    async def _leads(self) -> bool:
        now = self._tools.now()
        if now + timedelta(seconds=self._pace.lease / 2) < self._leased_until:
            return True
        until = now + timedelta(seconds=self._pace.lease)
        async with self._tools.database.write() as connection:
            mine = await lease.take(connection, LEASE, self._tools.owner, now, until)
        if mine and self._leased_until <= now:
            self._tools.log.info("relaying events", owner=self._tools.owner)
        self._leased_until = until if mine else now
        return mine

    async def _publish(self, batch: Sequence[Waiting]) -> Round:
        done = Round()
        ends = asyncio.get_running_loop().time() + self._pace.round
        in_order = sorted(batch, key=lambda event: (event.kind, event.aggregate, event.sequence))
        async with asyncio.TaskGroup() as tasks:
            for _, events in groupby(in_order, key=lambda event: (event.kind, event.aggregate)):
                tasks.create_task(self._publish_aggregate(list(events), done, ends))
        return done

    async def _publish_aggregate(self, events: Sequence[Waiting], done: Round, ends: float) -> None:
        """One after the other, up to the first that does not get through."""
        clock = asyncio.get_running_loop().time
        for event in events:
            if done.unreachable or clock() > ends:
                return
            message = Message(event.kind, event.aggregate, event.id, event.body)
            started, failed = clock(), True
            try:
                await self._tools.broker.publish(message)
                failed = False
            except Rejected as error:
                done.rejected.append((event, str(error)))
                return
            except Unreachable as error:
                done.unreachable = str(error)
                return
            finally:
                if self._tools.telemetry.records:
                    self._record(event, failed, started)
            done.published.append(event.id)

    def _record(self, event: Waiting, failed: bool, started: float) -> None:
        """In the trace of the change that it tells of."""
        if header := Envelope.FromString(event.body).traceparent:
            span = trace.continued(header, 0.0, self._tools.random)
            ended = asyncio.get_running_loop().time()
            work = tracing.work("publish", event.kind, Kind.PRODUCER)
            self._tools.telemetry.did(work, span, failed, started, ended)

    async def _keep(self, done: Round) -> None:
        if not done.published and not done.rejected:
            return
        async with self._tools.database.write() as connection:
            await outbox.remove(connection, done.published)
            for event, error in done.rejected:
                await outbox.reject(connection, event.id, error, self._again(event, error))

    def _again(self, event: Waiting, error: str) -> datetime | None:
        about = {"event_id": event.id, "aggregate": f"{event.kind}/{event.aggregate}", "reason": error}
        if event.attempts + 1 >= self._pace.tries:
            self._tools.log.error(
                "an event is a dead letter; its aggregate waits until it is replayed", **about
            )
            return None
        self._tools.log.warning("the broker rejects an event", **about)
        return self._tools.now() + timedelta(seconds=self._pace.retry(event.attempts))

    def _back_off(self, reason: str) -> float:
        if not self._failures:
            self._tools.log.warning("the broker cannot be reached; events wait", reason=reason)
        seconds = self._pace.retry(self._failures) * (0.5 + self._tools.random.random() / 2)
        self._failures += 1
        return seconds

    async def _leave(self) -> None:
        with contextlib.suppress(Unavailable):
            async with self._tools.database.write() as connection:
                await lease.give_up(connection, LEASE, self._tools.owner, self._tools.now())
