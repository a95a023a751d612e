"""grpc.health.v1: Check, Watch and List, and the one truth behind them.

Input: the process' condition, set by server (starting, serving, draining) and by the watch over the database. Output:
answers to probes, to Envoy and to people. Two names are known besides each service's own:

    ""          ready: a call may be sent here. What readiness probes ask.
    liveness    alive: the process runs and its event loop turns, whatever its dependencies do. What liveness probes
                ask, so that a lost database makes pods unready rather than restarting them.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
LIVENESS = "liveness"
Statuses = Mapping[str, Any]  # health_pb2.HealthCheckResponse.ServingStatus, which the stubs do not name


class Health:
    """The condition of a process. Starts as not ready. `leaving` is set when it takes no more calls."""

    def __init__(self, service: str) -> None:
        self.leaving = asyncio.Event()
        self.ready = False
        self.draining = False
        self._names = ("", service)
        self._changed = asyncio.Event()

    def set_ready(self, ready: bool) -> None:
        """Tells every watcher. Once draining, a process is never ready again."""
        ready = ready and not self.draining
        if ready != self.ready:
            self.ready = ready
            self._tell()

    def drain(self) -> None:
        """Not ready, for good; ends the streams of watchers, who would hold the server open."""
        self.ready, self.draining = False, True
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def statuses(self) -> Statuses:
        ready = SERVING if self.ready else NOT_SERVING
        return dict.fromkeys(self._names, ready) | {LIVENESS: SERVING}

    async def changes(self) -> AsyncIterator[Statuses]:
        """The statuses now, and again after each change until the process has drained."""
        while True:
            changed, last = self._changed, self.draining
            yield self.statuses()
            if last:
                return
            await changed.wait()


class HealthServicer(health_pb2_grpc.HealthServicer):
    """Health over gRPC, as grpc/health/v1/health.proto describes it."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def Check(self, request: Any, context: Any) -> health_pb2.HealthCheckResponse:
        status = self._health.statuses().get(request.service)
        if status is None:
            await context.abort(StatusCode.NOT_FOUND, f"no service {request.service!r} here; List names them")
        return health_pb2.HealthCheckResponse(status=status)

    async def List(self, request: Any, context: Any) -> Any:
        found = self._health.statuses().items()
        response: Any = vars(health_pb2)["HealthListResponse"]  # newer than the stubs
        return response(
            statuses={name: health_pb2.HealthCheckResponse(status=status) for name, status in found}
        )

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        last = None
        async for statuses in self._health.changes():
            status = statuses.get(request.service, UNKNOWN)
            if status != last:
                yield health_pb2.HealthCheckResponse(status=status)
            last = status
