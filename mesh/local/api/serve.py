"""Serving the API: certificate, token, port and kubeconfig at the start, an end without delay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from mesh.local.api import certificate
from mesh.local.api.app import app
from mesh.local.api.kubeconfig import ensure_token, write_kubeconfig
from mesh.local.api.private import write_private
from mesh.local.api.service import BOOKMARK_SECONDS, LogSource, PortForward, Service
from mesh.local.store import Store

LOOPBACK = "127.0.0.1"
START_SECONDS = 10.0
END_SECONDS = 0.5
"""How long answers under way may take when the server ends."""


@asynccontextmanager
async def serve(
    store: Store,
    directory: Path,
    logs: LogSource | None = None,
    ports: PortForward | None = None,
    namespace: str = "default",
    bookmark_seconds: float = BOOKMARK_SECONDS,
) -> AsyncIterator[str]:
    """Serves the store on 127.0.0.1 until the block ends, and yields the address, ``https://127.0.0.1:PORT``.

    ``namespace`` is the one that the kubeconfig begins with. Everything it writes is under ``directory``.
    """
    kept = directory / "api"
    files, token = certificate.ensure(kept, datetime.now(UTC)), ensure_token(kept / "token")
    service = Service(store, logs, ports, bookmark_seconds=bookmark_seconds)
    with _bound(kept / "port") as listener:
        address = f"https://{LOOPBACK}:{listener.getsockname()[1]}"
        server = _Server(
            uvicorn.Config(
                app(service, token),
                ssl_certfile=files.certificate,
                ssl_keyfile=files.key,
                ws="wsproto",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve([listener]), name="kubernetes API")
        try:
            await asyncio.wait_for(server.listening.wait(), START_SECONDS)
            write_kubeconfig(directory / "kubeconfig", address, files.ca, token, namespace)
            yield address
        finally:
            service.streams.close()
            await server.end(serving)


class _Server(uvicorn.Server):
    """Leaves the process' signals alone, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def end(self, serving: asyncio.Task[None]) -> None:
        """Finishes the answers under way, then cuts what is still connected: idle clients stay for long."""
        self.should_exit = True
        await asyncio.wait({serving}, timeout=END_SECONDS)
        for connection in list(self.server_state.connections):
            if connection.transport:
                connection.transport.abort()
        await serving
        await asyncio.sleep(0)  # what was cut says so to the loop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def _bound(kept: Path) -> Generator[socket.socket]:
    """A socket on the port of the last time, so that clients find the API again; on any when it is taken."""
    last = kept.read_text() if kept.is_file() else ""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, int(last) if last.isdecimal() else 0))
        except OSError:
            listener.bind((LOOPBACK, 0))
        write_private(kept, str(listener.getsockname()[1]))
        yield listener
