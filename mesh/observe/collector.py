"""Everything that observes a mesh, opened and closed together: the store, its receivers, and the questions about it.

Started by the command that runs the mesh. Telemetry goes to the gRPC port, or to ``routes`` of the application that
serves them; that application answers Jaeger's UI too. Metrics are asked of the mesh's proxies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Route

from mesh.observe import receive_http
from mesh.observe.jaeger import Jaeger
from mesh.observe.limits import Limits
from mesh.observe.logsanswer import Logs
from mesh.observe.metrics.metrics import Metrics, measure
from mesh.observe.metrics.sent import Sent
from mesh.observe.prometheus import Prometheus
from mesh.observe.receive_grpc import serve_grpc
from mesh.observe.receiver import Receiver
from mesh.observe.search import Search
from mesh.observe.spans import Bounds, Spans


@dataclass(frozen=True)
class Collector:
    """``grpc_port`` takes OTLP; ``routes`` are OTLP over HTTP, Jaeger's and Prometheus' query APIs, and metrics."""

    grpc_port: int
    receiver: Receiver
    spans: Spans
    search: Search
    metrics: Metrics
    routes: list[Route]


@asynccontextmanager
async def collect(
    path: Path,
    addresses: Sequence[str] = ("127.0.0.1:0",),
    bounds: Bounds | None = None,
    targets: Path | None = None,
    logs: Path | None = None,
) -> AsyncIterator[Collector]:
    """Keeps spans in the file at ``path`` while the context lasts. What was received before its end is in the file.

    OTLP over gRPC is taken at ``addresses``, the first of which has a port; ``targets`` is the file of the mesh's proxies, ``logs`` the folder of its pods' logs. Raises OSError and sqlite3.Error when the file cannot be made, RuntimeError when the address is taken.
    """
    bounds = bounds or Bounds()
    spans = await asyncio.to_thread(Spans, path, bounds)
    limits = Limits(age=bounds.age)
    sent = Sent(limits)
    receiver = Receiver(spans.put, limits, keep_metrics=lambda export: sent.take(export, time.time()))
    search = Search(path)
    try:
        async with (
            serve_grpc(receiver, *addresses) as port,
            measure(targets, receiver, spans, sent) as metrics,
        ):
            routes = [
                *receive_http.routes(receiver),
                *Jaeger(search).routes(),
                *Prometheus(metrics).routes(),
                *metrics.routes(),
                *(Logs(logs).routes() if logs else ()),
            ]
            yield Collector(port, receiver, spans, search, metrics, routes)
    finally:
        await asyncio.to_thread(receiver.close)
        await asyncio.to_thread(spans.close)
