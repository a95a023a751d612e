"""Counts and spans of calls. Nothing is sent unless OTEL_EXPORTER_OTLP_ENDPOINT is set."""

from typing import Protocol

from grpc import StatusCode

from services.kit.call import Call


class Telemetry(Protocol):
    """What boundary tells of each call; times on the event loop's clock."""

    def record(self, call: Call, code: StatusCode, started: float, ended: float) -> None: ...


class Silent:
    """Without an endpoint."""

    def record(self, call: Call, code: StatusCode, started: float, ended: float) -> None:
        """Keeps nothing."""
