"""The outbox of a service, and the relay behind it for as long as the service is open.

Used by a service's `open`. Without EVENTS_URL events wait in the database until a process with one publishes them.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from services.kit.app import App, CannotStart
from services.kit.events import lag
from services.kit.events.broker import open_broker
from services.kit.events.outbox import Outbox
from services.kit.events.relay import Relay, Tools
from services.kit.settings import BadSetting


@asynccontextmanager
async def publishing(app: App, now: Callable[[], datetime]) -> AsyncIterator[Outbox]:
    """Raises CannotStart."""
    outbox = Outbox(now, app.origin.random)
    if not app.settings.events_url:
        yield outbox
        return
    try:
        broker = open_broker(app.settings.events_url, app.log)
    except BadSetting as error:
        raise CannotStart(str(error)) from error
    owner = f"{app.settings.pod}/{os.getpid()}"
    relay = Relay(Tools(app.database, outbox, broker, owner, now, app.origin.random, app.log, app.telemetry))
    tasks = [
        app.tasks.create_task(relay.run(), name="relay"),
        app.tasks.create_task(lag.watch(app.database, now, app.log, app.telemetry), name="lag of the relay"),
    ]
    try:
        yield outbox
    finally:
        await _ended(tasks)
        await broker.close()


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
