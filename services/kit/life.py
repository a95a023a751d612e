"""What goes on behind a server's port: migrations, the service, and a watch over its database.

Input: what opens the service with its door, from server (gRPC) or http/server, and the settings. Output: a health that is true.

1. The child that runs the migrations ends; it tries again while the database cannot be reached.
2. The service opens, and the door with it.
3. Health says SERVING as long as the database answers.
"""

import asyncio
import gc
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from services.kit import migration
from services.kit.app import App, CannotStart
from services.kit.call import Origin
from services.kit.database import Database
from services.kit.health import Health
from services.kit.settings import Settings
from services.kit.telemetry import Telemetry

PING_INTERVAL = 1.0
PING_TIMEOUT = 1.0


@dataclass(frozen=True)
class Life:
    """What it works on. `enter` opens the service and lets calls in; `migrating` is the child of migration."""

    package: str
    enter: Callable[[App], AbstractAsyncContextManager[None]]
    settings: Settings
    health: Health
    telemetry: Telemetry
    log: FilteringBoundLogger
    migrating: Any

    async def live(self) -> None:
        """Until it is cancelled. Raises CannotStart."""
        if not await migration.ended(self.migrating):
            raise CannotStart(f"the migrations of {self.package} failed; the line before this says how")
        try:
            await self._open()
        except* CannotStart as found:
            reason = found.exceptions[0]
        else:
            return
        raise reason

    async def _open(self) -> None:
        source = random.Random()  # noqa: S311  trace ids and sampling, no secrets
        origin = Origin(self.settings.sampled, source, self.settings.development)
        async with AsyncExitStack() as stack:
            database = Database(self.settings.database_url, self.telemetry)
            stack.push_async_callback(database.close)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            leaving = self.health.leaving
            app = App(self.settings, database, tasks, origin, self.telemetry, self.log, leaving)
            await stack.enter_async_context(self.enter(app))
            settle()
            await self._watch(database)

    async def _watch(self, database: Database) -> None:
        while True:
            ready = await _answers(database)
            if ready != self.health.ready and not self.health.draining:
                self.log.info("ready" if ready else "not ready: the database does not answer")
            self.health.set_ready(ready)
            await asyncio.sleep(PING_INTERVAL)


def settle() -> None:
    """Takes what was loaded at start, which stays for good, out of the garbage collector's rounds: some 4 % of a call."""
    gc.collect()
    gc.freeze()


async def _answers(database: Database) -> bool:
    try:
        return await asyncio.wait_for(database.answers(), PING_TIMEOUT)
    except TimeoutError:
        return False
