"""What the process of any server does around it: signals, telemetry, and an end that loses no call.

Used by server (gRPC) and http/server. SIGTERM or SIGINT: health says NOT_SERVING, and calls are still accepted for `drain` seconds,
because those who send them learn of it later than we; then no more are accepted, streams are ended, and calls in flight get `stop` seconds.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from services.kit.life import Life
from services.kit.settings import Settings
from services.kit.telemetry import Recorder, Silent, Telemetry


def told_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on."""
    stopping = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopping.set)
    return stopping


async def until(stopping: asyncio.Event, life: Life, stop: Callable[[float], Awaitable[None]]) -> None:
    """Lives until that fails or it is time to stop; then drains, and ends it. `stop` takes no more calls, and gives those in
    flight so many seconds."""
    living, told = asyncio.create_task(life.live()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((living, told), return_when=asyncio.FIRST_COMPLETED)
        if not living.done():
            life.health.drain()
            await asyncio.sleep(life.settings.drain)
            life.health.leaving.set()
            await stop(life.settings.stop)
    finally:
        told.cancel()
        await _ended(living)


@contextlib.asynccontextmanager
async def telemetry(settings: Settings, log: FilteringBoundLogger) -> AsyncIterator[Telemetry]:
    """Silent, and its code not even loaded, unless there is an endpoint."""
    if not settings.otlp_endpoint:
        yield Silent()
        return
    from services.kit.otlp import export

    recorder = Recorder()
    exporting = asyncio.create_task(export(recorder, settings, log))
    try:
        yield recorder
    finally:
        await _ended(exporting)


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels a task and waits for its end. Raises what it failed with."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
