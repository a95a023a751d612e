"""A saga of two steps that has nothing to do with orders: what it did, and how its steps fail, is in a test's hands."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from grpc import StatusCode
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.typing import FilteringBoundLogger

from services.kit.call import Origin
from services.kit.database import Database
from services.kit.errors import CallFailed
from services.kit.saga import store
from services.kit.saga.definition import Definition, Pace, Step
from services.kit.saga.runner import Runner
from services.kit.saga.store import Saga
from tests.services.events.world import until

KIND = "move a house"
PACE = Pace(lease=0.6, look=0.05, first_retry=0.01, longest_retry=0.05, stuck=60.0)
GONE = CallFailed("lift", StatusCode.UNAVAILABLE, "no crane")
REFUSED = CallFailed("lift", StatusCode.FAILED_PRECONDITION, "too heavy")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class World:
    """`done` has what was begun, `ended` how each saga ended; `before` is awaited ahead of each act and may raise."""

    database: Database
    done: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    before: Callable[[str], Awaitable[None]] | None = None

    def definition(self, final: bool = False, patience: int = 3) -> Definition:
        steps = (
            Step("lift", self._act("lift"), self._act("set down"), patience=patience, limit=10.0),
            Step("drive", self._act("drive"), self._act("drive back"), patience=patience, final=final),
        )
        return Definition(KIND, steps, self._changed)

    def _act(self, name: str) -> Callable[[Saga], Awaitable[None]]:
        async def act(saga: Saga) -> None:
            self.done.append(name)
            if self.before:
                await self.before(name)

        return act

    async def _changed(
        self, connection: AsyncConnection, saga: Saga, step: str, failure: CallFailed | None
    ) -> None:
        self.told.append(saga.state.phase.value)

    @asynccontextmanager
    async def runner(self, definition: Definition, owner: str = "one") -> AsyncIterator[Runner]:
        """One that takes over what is due."""
        log: FilteringBoundLogger = structlog.wrap_logger(
            structlog.ReturnLogger(), processors=[lambda _, level, event: self._say(level, event)]
        )
        origin = Origin(0.0, random.Random(7), False)
        async with asyncio.TaskGroup() as tasks:
            runner = Runner(self.database, {KIND: definition}, owner, tasks, now, log, origin, PACE)
            going = tasks.create_task(runner.take_over())
            yield runner
            going.cancel()

    def _say(self, level: str, event: structlog.typing.EventDict) -> str:
        self.said.append(f"{level}: {event['event']}")
        return ""

    async def begin(self, runner: Runner, id: str = "house") -> None:  # noqa: A002
        saga = Saga(id, KIND, "")
        async with self.database.write() as connection:
            await runner.begin(connection, saga)
        runner.carry_out(saga)

    async def get(self, id: str = "house") -> Saga:  # noqa: A002
        async with self.database.read() as connection:
            found = await store.get(connection, id)
        assert found
        return found

    async def comes_to(self, holds: Callable[[Saga], bool]) -> Saga:
        return await until(self.get, holds)
