"""Injected faults: what istiod refuses. Source: istio validation.go, validateHTTPFaultInjection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.istio.virtualservice import Abort, Fault, Percent
from mesh.resources.problem import Problem

GRPC_STATUSES: Final = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
#: Envoy's finest fraction is a millionth.
_LEAST_PERCENT: Final = 0.0001


def invalid(at: Spot, fault: Fault | None) -> Iterator[Problem]:
    """What istiod refuses."""
    if fault is None:
        return
    if fault.abort is None and fault.delay is None:
        yield at.problem("MW0302", "this fault does nothing", "give abort or delay")
    if fault.delay:
        yield from percentage(at / "delay" / "percentage", fault.delay.percentage)
        if fault.delay.exponential_delay is not None:
            text = "istiod refuses exponentialDelay"
            yield (at / "delay" / "exponentialDelay").problem("MW0302", text, "use fixedDelay")
        elif fault.delay.fixed_delay is None:
            yield (at / "delay").problem("MW0302", "this delay has no length", "give fixedDelay")
    if fault.abort:
        yield from percentage(at / "abort" / "percentage", fault.abort.percentage)
        yield from _abort(at / "abort", fault.abort)


def _abort(at: Spot, abort: Abort) -> Iterator[Problem]:
    if abort.http2_error:
        yield (at / "http2Error").problem(
            "MW0302", "istiod refuses http2Error", "use httpStatus or grpcStatus"
        )
    elif bool(abort.http_status) == bool(abort.grpc_status):
        yield at.problem("MW0302", "an abort needs exactly one of httpStatus and grpcStatus", "give one")
    if abort.http_status and not 200 <= abort.http_status <= 600:
        yield (at / "httpStatus").problem(
            "MW0304", f"{abort.http_status} is not an HTTP status", "use 200 to 599"
        )
    if abort.grpc_status and abort.grpc_status not in GRPC_STATUSES:
        text = f"{abort.grpc_status!r} is not a gRPC status"
        yield (at / "grpcStatus").problem("MW0308", text, f"use one of: {', '.join(GRPC_STATUSES)}")


def percentage(at: Spot, given: Percent | None) -> Iterator[Problem]:
    """0 to 100, and not finer than Envoy can tell."""
    if given and not (given.value == 0 or _LEAST_PERCENT <= given.value <= 100):
        yield (at / "value").problem(
            "MW0304", f"{given.value:g} is not a percentage", "use 0, or 0.0001 to 100"
        )
