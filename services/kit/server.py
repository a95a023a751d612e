"""One process of a service, from start to end.

Input: a `Service` (a contract, and how to open its servicer) and the settings. What happens, in this order:

1. The port opens; health says NOT_SERVING, and calls are answered with UNAVAILABLE.
2. Migrations run in a child process, tried again while the database cannot be reached.
3. The service opens; health says SERVING, as long as the database answers.
4. SIGTERM or SIGINT: health says NOT_SERVING, and calls are still accepted for `drain` seconds, because those who send
   them learn of it later than we; then no more are accepted, and those in flight get `stop` seconds to end.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio
from grpc_health.v1 import health_pb2_grpc
from structlog.typing import FilteringBoundLogger

from services.kit import boundary, reflection, status
from services.kit.channel import Channel
from services.kit.contract import contract_of
from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.health import Health, HealthServicer
from services.kit.settings import Settings
from services.kit.telemetry import Telemetry

HEALTH = "grpc.health.v1.Health"
PING_INTERVAL = 1.0
PING_TIMEOUT = 1.0
RETRY_MIGRATION = 1.0


class CannotStart(Exception):
    """The text says what is missing and what to do."""


@dataclass(frozen=True)
class App:
    """What a service gets to work with. `tasks` owns every task it starts; they are cancelled after the last call."""

    settings: Settings
    database: Database
    tasks: asyncio.TaskGroup
    random: random.Random
    log: FilteringBoundLogger

    @asynccontextmanager
    async def channel(self, name: str, service: ServiceDescriptor) -> AsyncIterator[aio.Channel]:
        """A channel to another service, for its stub; to the address in <NAME>_ADDRESS. Raises CannotStart."""
        address = self.settings.addresses.get(name)
        if not address:
            raise CannotStart(f"{name.upper()}_ADDRESS is not set: give the host:port of the {name} service")
        channel = Channel(address, contract_of(service), self.random)
        try:
            yield cast(aio.Channel, channel)
        finally:
            await channel.close()


@dataclass(frozen=True)
class Service:
    """`package` has the migrations; `open` yields the servicer, and closes it after the last call."""

    package: str
    contract: ServiceDescriptor
    open: Callable[[App], AbstractAsyncContextManager[object]]


class Door(grpc.GenericRpcHandler):
    """The service's handlers once it is open; until then an answer that says to come back."""

    def __init__(self, service: str) -> None:
        self._prefix = f"/{service}/"
        self._inside: grpc.GenericRpcHandler | None = None

    def open(self, inside: grpc.GenericRpcHandler) -> None:
        self._inside = inside

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        if self._inside:
            return self._inside.service(details)
        return (
            grpc.unary_unary_rpc_method_handler(_starting)
            if details.method.startswith(self._prefix)
            else None
        )


async def _starting(request: bytes, context: Any) -> None:
    error = Unavailable("ERROR_REASON_STARTING", "the service has not started yet")
    trailer = status.to_trailer(error, "")
    await context.abort(error.code, error.message, (trailer,))


async def run(service: Service, settings: Settings, log: FilteringBoundLogger, telemetry: Telemetry) -> None:
    """Serves until SIGTERM or SIGINT. Raises CannotStart."""
    stopping = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopping.set)
    health, door = Health(service.contract.full_name), Door(service.contract.full_name)
    server, port = _bound(service.contract.full_name, settings, health, door)
    await server.start()
    log.info("listening", port=port)
    try:
        await _until(
            stopping, _live(service, settings, health, door, log, telemetry), server, health, settings
        )
    finally:
        await server.stop(0)
    log.info("stopped")


def _bound(name: str, settings: Settings, health: Health, door: Door) -> tuple[aio.Server, int]:
    server = aio.server(options=(("grpc.so_reuseport", int(settings.shares_port)),))
    health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(health), server)
    server.add_generic_rpc_handlers((door, *reflection.handlers([name, HEALTH])))
    try:
        return server, server.add_insecure_port(f"{settings.host}:{settings.port}")
    except RuntimeError:
        raise CannotStart(
            f"cannot listen on {settings.host}:{settings.port}: the port is in use or not allowed; set PORT to another"
        ) from None


async def _until(
    stopping: asyncio.Event,
    life: Coroutine[None, None, None],
    server: aio.Server,
    health: Health,
    settings: Settings,
) -> None:
    """Runs `life` until it fails or it is time to stop; then drains, and ends it."""
    living, told = asyncio.create_task(life), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((living, told), return_when=asyncio.FIRST_COMPLETED)
        if not living.done():
            health.drain()
            await asyncio.sleep(settings.drain)
            await server.stop(settings.stop)
    finally:
        told.cancel()
        living.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await living


async def _live(
    service: Service,
    settings: Settings,
    health: Health,
    door: Door,
    log: FilteringBoundLogger,
    telemetry: Telemetry,
) -> None:
    """Migrates, opens the service, and then says for ever whether it can work. Raises CannotStart."""
    await _migrated(service.package, settings.database_url, log)
    source = random.Random()  # noqa: S311  trace ids and sampling, no secrets
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        app = App(settings, database, tasks, source, log)
        servicer = await stack.enter_async_context(service.open(app))
        around = boundary.Boundary(settings, contract_of(service.contract), telemetry, source, log)
        door.open(boundary.handler(service.contract, servicer, around))
        await _tell_health(database, health, log)


async def _tell_health(database: Database, health: Health, log: FilteringBoundLogger) -> None:
    while True:
        try:
            ready = await asyncio.wait_for(database.answers(), PING_TIMEOUT)
        except TimeoutError:
            ready = False
        if ready != health.ready and not health.draining:
            log.info("ready" if ready else "not ready: the database does not answer")
        health.set_ready(ready)
        await asyncio.sleep(PING_INTERVAL)


async def _migrated(package: str, url: str, log: FilteringBoundLogger) -> None:
    """Returns when the database is at the newest revision, however long it takes to come up. Raises CannotStart."""
    while True:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.kit.migration", package, url, stderr=asyncio.subprocess.PIPE
        )
        try:
            _, said = await child.communicate()
        except asyncio.CancelledError:
            child.terminate()
            await child.wait()
            raise
        text = said.decode(errors="replace").strip()
        if child.returncode == 0:
            return
        if child.returncode != os.EX_TEMPFAIL:
            raise CannotStart(
                f"the migrations of {package} failed; the database is as it was before:\n{text}"
            )
        log.warning("waiting for the database", reason=text)
        await asyncio.sleep(RETRY_MIGRATION)
