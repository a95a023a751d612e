"""What every call of a process needs to know, and how one that fails is answered. Used by boundary and stream.

A ServiceError becomes its status with details; a CallFailed, the failure of a service behind this one, becomes UNAVAILABLE or
DEADLINE_EXCEEDED where that is what it was; anything else is INTERNAL, and logged.
"""

import asyncio
from dataclasses import dataclass

import grpc
import structlog
from google.protobuf.message import DecodeError

from services.kit import status
from services.kit.call import Call, Headers, Origin
from services.kit.contract import Contract
from services.kit.errors import CallFailed, InvalidRequest, ServiceError, TimedOut, Unavailable, Violation
from services.kit.settings import Settings
from services.kit.telemetry import Telemetry

ATTEMPT = "x-envoy-attempt-count"
_PASSED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_OURS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)


@dataclass(frozen=True)
class Boundary:
    """`leaving` is set once this process takes no more calls: streams then end."""

    settings: Settings
    contract: Contract
    telemetry: Telemetry
    origin: Origin
    log: structlog.typing.FilteringBoundLogger
    leaving: asyncio.Event


def served_by(call: Call, settings: Settings) -> Headers:
    """Who answers."""
    attempt = call.headers.get(ATTEMPT)
    pod = (("served-by", settings.pod), ("served-version", settings.version))
    return (*pod, ("attempt", attempt)) if attempt else pod


def answer(error: Exception, call: Call, boundary: Boundary) -> ServiceError:
    """What the caller is told; it is logged."""
    told = error if isinstance(error, ServiceError) else _translated(error, call)
    if told.code in _OURS:
        boundary.log.error("call failed", method=call.method, code=told.code.name, exc_info=error)
    else:
        boundary.log.info("call refused", method=call.method, code=told.code.name, message=told.message)
    return told


def trailers(told: ServiceError, call: Call, boundary: Boundary) -> tuple[tuple[str, str | bytes], ...]:
    """What an error is sent with."""
    return (*served_by(call, boundary.settings), status.to_trailer(told, boundary.contract.domain))


def _translated(error: Exception, call: Call) -> ServiceError:
    if isinstance(error, DecodeError):
        return InvalidRequest(
            [Violation("", "the request is not a message of the type that the method takes")]
        )
    if isinstance(error, CallFailed) and error.code in _PASSED:
        kind = TimedOut if error.code is grpc.StatusCode.DEADLINE_EXCEEDED else Unavailable
        return kind("ERROR_REASON_UPSTREAM_FAILED", str(error), method=error.path)
    return ServiceError(
        "ERROR_REASON_INTERNAL",
        f"a mistake in the service; see its log, trace {call.span.trace_id}",
        trace_id=call.span.trace_id,
    )
