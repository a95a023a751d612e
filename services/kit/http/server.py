"""One process of a service of HTTP, from start to end, as server is for gRPC.

Input: a `Site` and the settings. The port opens at once; requests are answered with 503 until the site is open; on SIGTERM it
drains, and ends (process). HTTP/1.1 only: the sidecar in front speaks whatever the caller does.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp
from structlog.typing import FilteringBoundLogger

from services.kit import process
from services.kit.app import App, CannotStart
from services.kit.health import Health
from services.kit.http.boundary import Boundary
from services.kit.http.door import Door
from services.kit.http.site import Site
from services.kit.life import Life
from services.kit.settings import Settings

EXPOSED = ("x-request-id", "location", "retry-after")
PREFLIGHT = 600  # seconds that a browser may remember what it was allowed


async def run(site: Site, settings: Settings, log: FilteringBoundLogger, migrating: Any) -> None:
    """Serves until SIGTERM or SIGINT. `migrating` is the child of migration. Raises CannotStart."""
    stopping = process.told_to_stop()
    health = Health(site.package)
    door = Door(health)
    with _bound(settings) as listener:
        server = _Server(door, settings, listener)
        log.info("listening", port=listener.getsockname()[1])
        try:
            async with process.telemetry(settings, log) as telemetry:

                @asynccontextmanager
                async def enter(app: App) -> AsyncIterator[None]:
                    async with site.open(app) as inside:
                        door.open(_cors(Boundary(inside, app, site.domain), settings))
                        yield

                life = Life(site.package, enter, settings, health, telemetry, log, migrating)
                await process.until(stopping, life, server.stop)
        finally:
            await server.stop(0)
    log.info("stopped")


class _Server(uvicorn.Server):
    """Leaves the process' signals alone, and ends when it is told to."""

    def __init__(self, door: Door, settings: Settings, listener: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                door,
                ws="wsproto",
                ws_max_size=settings.max_body,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,  # longer than the sidecar keeps a connection that nobody uses
            )
        )
        self._serving = asyncio.create_task(self.serve([listener]), name="http")

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def stop(self, seconds: float) -> None:
        """Takes no more connections; what is under way may take so many seconds. Returns when it has ended; raises what
        it failed with."""
        self.config.timeout_graceful_shutdown = max(1, round(seconds)) if seconds else 0
        self.should_exit = True
        await self._serving


@contextmanager
def _bound(settings: Settings) -> Generator[socket.socket]:
    """A socket where the settings say. Raises CannotStart."""
    host = settings.host.strip("[]")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(settings.shares_port))
        try:
            listener.bind((host, settings.port))
        except OSError:
            raise CannotStart(
                f"cannot listen on {settings.host}:{settings.port}: the port is in use or not allowed; set PORT to another"
            ) from None
        yield listener


def _cors(inside: ASGIApp, settings: Settings) -> ASGIApp:
    if not settings.cors_origins:
        return inside
    return CORSMiddleware(
        inside,
        allow_origins=settings.cors_origins,
        allow_methods=("GET", "POST", "PUT", "DELETE"),
        allow_headers=("authorization", "content-type", "idempotency-key", "x-api-key", "traceparent"),
        expose_headers=EXPOSED,
        max_age=PREFLIGHT,
    )
