"""The relay, for any luck that publishing may have: outcomes that a real broker would give too seldom to be tested."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from services.gen.shop.events.v1.events_pb2 import OrderPlaced
from services.kit.database import Database
from services.kit.events import outbox
from services.kit.events.broker import Message, Rejected, Unreachable
from services.kit.events.envelope import Event
from services.kit.events.outbox import Outbox
from services.kit.events.relay import Pace, Relay, Tools
from tests.services.events.world import TOLD, create, now, running, until

FAST = Pace(look=0.01, soonest=0.001, first_retry=0.001, longest_retry=0.002, tries=1000, batch=7)


@dataclass
class Unlucky:
    """A broker that keeps most messages, says so of most that it keeps, and sometimes stops to answer for a while."""

    luck: random.Random
    kept: list[tuple[str, str]] = field(default_factory=list)

    async def publish(self, message: Message) -> None:
        await asyncio.sleep(0)
        what = self.luck.choices(("kept", "lost", "doubtful", "rejected"), (6, 1, 1, 1))[0]
        if what in ("kept", "doubtful"):
            self.kept.append((message.key, message.id))
        if what in ("lost", "doubtful"):
            raise Unreachable("no answer")
        if what == "rejected":
            raise Rejected("not today")

    @asynccontextmanager
    async def subscribe(self, topic: str, durable: str) -> AsyncIterator[AsyncIterator[object]]:
        raise NotImplementedError
        yield

    async def close(self) -> None: ...


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await create(f"sqlite+aiosqlite:///{tmp_path}/telling.db", TOLD)
    yield database
    await database.close()


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_luck_each_event_is_kept_and_those_of_an_aggregate_first_in_order(
    database: Database, seed: int
) -> None:
    luck = random.Random(seed)
    broker, told = Unlucky(luck), Outbox(now, luck)
    ids: dict[str, list[str]] = {}
    async with database.write() as connection:
        for _ in range(40):
            event = Event("order", luck.choice("abcdef"), OrderPlaced())
            envelope = await told.add(connection, event)
            ids.setdefault(event.id, []).append(envelope.event_id)

    async def waiting() -> int:
        async with database.read() as connection:
            return (await outbox.lag(connection, now())).waiting

    relay = Relay(Tools(database, told, broker, "here", now, luck, structlog.get_logger()), FAST)
    async with running(relay.run()):
        await until(waiting, lambda count: count == 0)
    first: dict[str, list[str]] = {}
    for key, event_id in dict.fromkeys(broker.kept):
        first.setdefault(key, []).append(event_id)
    assert first == ids
