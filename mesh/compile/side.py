"""One side of a proxy, and what all its listeners have in common: who reads the traffic, what is logged, what is traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

from mesh.compile import counting
from mesh.compile.accesslog import Logs
from mesh.compile.telemetry import Direction, telemetry
from mesh.compile.tracing import tracing
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Workload
from mesh.resources.istio.meshconfig import MeshConfig


@dataclass(frozen=True, eq=False)
class Side:
    """``logs`` are of HTTP requests, ``connections`` of TCP, ``unrouted`` of connections that no filter chain took.

    ``counted``: connections are told of when they are made, too.
    """

    direction: Direction
    workload: Workload
    config: MeshConfig
    logs: Sequence[AccessLog]
    connections: Sequence[AccessLog]
    unrouted: Sequence[AccessLog]
    tracing: HttpConnectionManager.Tracing | None
    by_request_id: bool
    counted: bool


def side(mesh: Mesh, workload: Workload, direction: Direction, placement: Placement) -> Side:
    said = telemetry(mesh, workload)
    logs = Logs(said, direction, mesh.services)
    spans, by_request_id = tracing(said, workload, direction, mesh.services, placement.observatory)
    counted = bool(placement.observatory)
    requests = [counting.requests(direction)] if counted else []
    ends = map(counting.at_end, logs.tcp)
    connections = [*ends, *counting.connections(direction)] if counted else logs.tcp
    return Side(
        direction,
        workload,
        mesh.config,
        [*logs.http, *requests],
        connections,
        logs.listener,
        spans,
        by_request_id,
        counted,
    )
