"""One process of a service, from start to end.

Input: a `Service` and the settings. What happens, in this order:

1. The port opens; health says NOT_SERVING, and calls are answered with UNAVAILABLE.
2. life begins: it opens the service, and says when it is ready.
3. SIGTERM or SIGINT: it drains, and ends (process).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2_grpc
from structlog.typing import FilteringBoundLogger

from services.kit import boundary, process, reflection
from services.kit.answer import Boundary
from services.kit.app import App, CannotStart, Service
from services.kit.contract import contract_of
from services.kit.door import Door
from services.kit.health import Health, HealthServicer
from services.kit.life import Life
from services.kit.settings import Settings

HEALTH = "grpc.health.v1.Health"


async def run(service: Service, settings: Settings, log: FilteringBoundLogger, migrating: Any) -> None:
    """Serves until SIGTERM or SIGINT. `migrating` is the child of migration. Raises CannotStart."""
    stopping = process.told_to_stop()
    name = service.contract.full_name
    health, door = Health(name), Door(name)
    server, port = _bound(name, settings, health, door)
    await server.start()
    log.info("listening", port=port)
    try:
        async with process.telemetry(settings, log) as telemetry:

            @asynccontextmanager
            async def enter(app: App) -> AsyncIterator[None]:
                async with service.open(app) as servicer:
                    door.open(_handlers(service, servicer, app))
                    yield

            life = Life(service.package, enter, settings, health, telemetry, log, migrating)
            await process.until(stopping, life, server.stop)
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


def _handlers(service: Service, servicer: object, app: App) -> grpc.GenericRpcHandler:
    contract = contract_of(service.contract)
    around = Boundary(app.settings, contract, app.telemetry, app.origin, app.log, app.leaving)
    return boundary.handler(service.contract, servicer, around)
