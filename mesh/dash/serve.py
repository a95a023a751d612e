"""Serves the page on a port of 127.0.0.1, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from mesh.dash.app import app
from mesh.dash.guard import Guard
from mesh.dash.sources import Sources


async def serve(sources: Sources, port: int, said: Callable[[str], None]) -> None:
    """``said`` is told each link that lets a browser in. Raises OSError when the port is taken."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with socket.create_server(("127.0.0.1", port)) as listener:
        guarded = Guard(app(sources), listener.getsockname()[1], said)
        config = uvicorn.Config(guarded, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server: Any = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # they are ours
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            await stop.wait()
            server.should_exit = True
