"""The observatory's servers: OTLP over gRPC on a port and on a Unix socket, and HTTP for OTLP and for questions."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mesh.observe.collector import collect
from mesh.observe.spans import Bounds

#: Names by which a browser may ask: a page of another site that was bound to this address is not among them.
HOSTS = ["127.0.0.1", "localhost", "[::1]"]


async def serve(
    path: Path,
    otlp: int,
    http: int,
    unix: str,
    bounds: Bounds,
    targets: Path | None = None,
    logs: Path | None = None,
) -> None:
    """Until SIGTERM or SIGINT. ``targets`` is the file of the proxies to scrape, ``logs`` the folder of logs to search. Raises OSError and RuntimeError when a port is taken or the file cannot be made."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    with socket.create_server(("127.0.0.1", http)) as listener:
        async with collect(path, [f"127.0.0.1:{otlp}", f"unix:{unix}"], bounds, targets, logs) as collector:
            app = Starlette(routes=collector.routes, middleware=[guard])
            config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
            server: Any = uvicorn.Server(config)
            server.capture_signals = contextlib.nullcontext  # they are ours
            at = listener.getsockname()[1]
            print(f"OTLP over gRPC 127.0.0.1:{collector.grpc_port}", flush=True)
            print(f"OTLP over HTTP, and Jaeger's query API: http://127.0.0.1:{at}", flush=True)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when="FIRST_COMPLETED")
            server.should_exit = True
            await serving
