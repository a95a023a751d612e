"""A service that tells events and one that consumes them, each with its database, and the broker between them."""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.events.v1.events_pb2 import Envelope, OrderConfirmed, OrderPlaced
from services.kit.call import Origin
from services.kit.database import Database
from services.kit.events import consumer, deadletters, inbox, lease, outbox, relay
from services.kit.events.broker import Broker, open_broker
from services.kit.events.consumer import Consumer, Subscription
from services.kit.events.envelope import Event
from services.kit.events.outbox import Outbox
from services.kit.events.relay import Relay
from tests.services.events.brokers.process import Server

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 80.0
RELAY = relay.Pace(lease=1.5, round=0.5, first_retry=0.02, longest_retry=0.2, tries=3)
CONSUMER = consumer.Pace(first_retry=0.02, longest_retry=0.2, tries=3, look=0.1)

TOLD = MetaData()
outbox.tables(TOLD)
lease.table(TOLD)
HEARD = MetaData()
inbox.table(HEARD)
EFFECTS = Table(
    "effects",
    HEARD,
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("aggregate", String(64), nullable=False),
    Column("sequence", Integer, nullable=False),
)

Effect = tuple[str, int]
T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class World:
    """`kind` is that of the aggregates; no other test has it. `fails` decides which effects the handler refuses to have."""

    server: Server
    telling: Database
    hearing: Database
    urls: tuple[str, str]
    broker: Broker
    log: Any = field(default_factory=structlog.get_logger)
    kind: str = field(default_factory=lambda: f"order-{secrets.token_hex(4)}")
    fails: Callable[[Envelope], bool] = lambda envelope: False

    def __post_init__(self) -> None:
        self.random = random.Random(7)
        self.outbox = Outbox(now, self.random)
        self.origin = Origin(1.0, self.random, False)

    async def tell(self, aggregate: str, count: int = 1, weight: int = 0) -> list[Envelope]:
        """So many events of an aggregate, each in a transaction of its own; `weight` in bytes, about."""
        told = []
        for _ in range(count):
            payload = OrderConfirmed() if told else OrderPlaced()
            payload.order.customer_id = "x" * weight
            async with self.telling.write() as connection:
                told.append(await self.outbox.add(connection, Event(self.kind, aggregate, payload)))
        return told

    def relay(self, owner: str = "here") -> Relay:
        tools = relay.Tools(self.telling, self.outbox, self.broker, owner, now, self.random, self.log)
        return Relay(tools, RELAY)

    def consumer(self) -> Consumer:
        tools = consumer.Tools(self.hearing, self.broker, now, self.log, self.origin)
        return Consumer(Subscription(self.kind, "listener", self.handle), tools, CONSUMER)

    async def handle(self, connection: AsyncConnection, envelope: Envelope) -> None:
        row = {"aggregate": envelope.aggregate_id, "sequence": envelope.sequence}
        await connection.execute(insert(EFFECTS).values(row))
        if self.fails(envelope):
            raise RuntimeError("this one does not please me")

    async def effects(self) -> list[Effect]:
        async with self.hearing.read() as connection:
            rows = await connection.execute(select(EFFECTS).order_by(EFFECTS.c.n))
            return [(row.aggregate, row.sequence) for row in rows]

    async def until_effects(self, count: int) -> list[Effect]:
        """The effects, once there are so many."""
        return await until(self.effects, lambda found: len(found) >= count)

    async def lag(self) -> outbox.Lag:
        async with self.telling.read() as connection:
            return await outbox.lag(connection, now())

    async def dead(self, database: Database) -> list[deadletters.DeadLetter]:
        async with database.read() as connection:
            return await deadletters.find(connection)

    async def clear(self) -> None:
        """Leaves the databases without tables, for another test."""
        for database, metadata in ((self.telling, TOLD), (self.hearing, HEARD)):
            async with database.write() as connection:
                await connection.run_sync(metadata.drop_all)

    @asynccontextmanager
    async def relay_process(self, owner: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A relay that can be killed."""
        command = ("-m", "tests.services.events.relaying", self.urls[0], self.server.url, owner)
        process = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT, env=os.environ)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()


async def until(look: Callable[[], Coroutine[Any, Any, T]], good: Callable[[T], bool]) -> T:
    """What is found, once it is good."""
    found = await look()
    try:
        async with asyncio.timeout(PATIENCE):
            while not good(found):
                await asyncio.sleep(0.02)
                found = await look()
    except TimeoutError:
        raise AssertionError(f"not in {PATIENCE:g} s; last seen: {found}") from None
    return found


@asynccontextmanager
async def running(*forever: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(one) for one in forever]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def create(url: str, metadata: MetaData) -> Database:
    database = Database(url)
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    return database


@asynccontextmanager
async def world(server: Server, telling: str, hearing: str) -> AsyncIterator[World]:
    databases = await create(telling, TOLD), await create(hearing, HEARD)
    broker = open_broker(server.url, structlog.get_logger())
    try:
        yield World(server, *databases, (telling, hearing), broker)
    finally:
        await broker.close()
        for database in databases:
            await database.close()


def in_order(effects: list[Effect]) -> dict[str, list[int]]:
    """The numbers of each aggregate, as they came."""
    found: dict[str, list[int]] = {}
    for aggregate, sequence in effects:
        found.setdefault(aggregate, []).append(sequence)
    return found
