"""One process of a service, from start to end.

Input: a `Service` and the settings. What happens, in this order:

1. The port opens; health says NOT_SERVING, and calls are answered with UNAVAILABLE.
2. life begins: it opens the service, and says when it is ready.
3. SIGTERM or SIGINT: health says NOT_SERVING, and calls are still accepted for `drain` seconds, because those who send
   them learn of it later than we; then no more are accepted, streams are ended, and calls in flight get `stop` seconds.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from typing import Any

from grpc import aio
from grpc_health.v1 import health_pb2_grpc
from structlog.typing import FilteringBoundLogger

from services.kit import reflection
from services.kit.app import CannotStart, Service
from services.kit.door import Door
from services.kit.health import Health, HealthServicer
from services.kit.life import Life
from services.kit.settings import Settings
from services.kit.telemetry import Recorder, Silent, Telemetry

HEALTH = "grpc.health.v1.Health"


async def run(service: Service, settings: Settings, log: FilteringBoundLogger, migrating: Any) -> None:
    """Serves until SIGTERM or SIGINT. `migrating` is the child of migration. Raises CannotStart."""
    stopping = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopping.set)
    name = service.contract.full_name
    health, door = Health(name), Door(name)
    server, port = _bound(name, settings, health, door)
    await server.start()
    log.info("listening", port=port)
    try:
        async with _telemetry(settings, log) as telemetry:
            life = Life(service, settings, health, door, telemetry, log, migrating)
            await _until(stopping, life, server)
    finally:
        await server.stop(0)
    log.info("stopped")


def _bound(name: str, settings: Settings, health: Health, door: Door) -> tuple[aio.Server, int]:
    server = aio.server(options=(("grpc.so_reuseport", int(settings.shares_port)),))
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(health), server)
    server.add_generic_rpc_handlers((door, *reflection.handlers([name, HEALTH])))
    where = f"{settings.host}:{settings.port}"
    try:
        return server, server.add_insecure_port(where)
    except RuntimeError:
        raise CannotStart(
            f"cannot listen on {where}: the port is in use or not allowed; set PORT to another"
        ) from None


async def _until(stopping: asyncio.Event, life: Life, server: aio.Server) -> None:
    """Lives until that fails or it is time to stop; then drains, and ends it."""
    living, told = asyncio.create_task(life.live()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((living, told), return_when=asyncio.FIRST_COMPLETED)
        if not living.done():
            life.health.drain()
            await asyncio.sleep(life.settings.drain)
            life.health.leaving.set()
            await server.stop(life.settings.stop)
    finally:
        told.cancel()
        await _ended(living)


@contextlib.asynccontextmanager
async def _telemetry(settings: Settings, log: FilteringBoundLogger) -> AsyncIterator[Telemetry]:
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
