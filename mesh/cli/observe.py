"""`mesh observe`: takes the traces of services and answers Jaeger's UI about them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from pathlib import Path
from typing import Any

import click

from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths

#: Names by which a browser may ask: a page of another site that was bound to this address is not among them.
HOSTS = ["127.0.0.1", "localhost", "[::1]"]


@click.command("observe")
@file_option
@click.option("--otlp", default=4317, show_default=True, help="Port for OTLP over gRPC; 0 takes a free one.")
@click.option(
    "--http",
    default=16686,
    show_default=True,
    help="Port for OTLP over HTTP and for Jaeger's query API; 0 takes a free one.",
)
def command(file: Path | None, otlp: int, http: int) -> None:
    """Collect traces until Ctrl-C, on loopback only; they are kept in .mesh/spans.db for a day.

    Services send theirs where the chart's global.otlpEndpoint says.
    """
    paths = Paths.below(locate(file).parent)
    paths.make()
    try:
        asyncio.run(_run(paths.root / "spans.db", otlp, http))
    except (OSError, RuntimeError) as error:
        raise click.ClickException(f"cannot collect traces: {error}") from None


async def _run(path: Path, otlp: int, http: int) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from mesh.observe.collector import collect

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    with socket.create_server(("127.0.0.1", http)) as listener:
        async with collect(path, f"127.0.0.1:{otlp}") as collector:
            app = Starlette(routes=collector.routes, middleware=[guard])
            config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
            server: Any = uvicorn.Server(config)
            server.capture_signals = contextlib.nullcontext  # they are ours
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            click.echo(f"OTLP over gRPC       127.0.0.1:{collector.grpc_port}")
            click.echo(f"OTLP over HTTP       http://127.0.0.1:{listener.getsockname()[1]}/v1/traces")
            click.echo(f"Jaeger's query API   http://127.0.0.1:{listener.getsockname()[1]}/api/services")
            await asyncio.wait([serving, asyncio.create_task(stop.wait())], return_when="FIRST_COMPLETED")
            server.should_exit = True
            await serving
