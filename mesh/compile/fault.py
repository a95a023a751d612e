"""Faults: delays and aborts put into requests on purpose. Source: istiod's TranslateFault."""

from __future__ import annotations

from typing import Any, Final

from envoy.extensions.filters.http.fault.v3.fault_pb2 import HTTPFault

from mesh.compile.percent import hundredths, millionths
from mesh.resources.istio.virtualservice import Abort, Delay, Fault

_STATUS: Final = (
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
)


def fault(given: Fault) -> HTTPFault:
    made = HTTPFault()
    if given.delay and given.delay.fixed_delay is not None:
        made.delay.CopyFrom(_delay(given.delay))
    if given.abort and (given.abort.http_status or given.abort.grpc_status):
        made.abort.CopyFrom(_abort(given.abort))
    return made


def _delay(given: Delay) -> Any:
    delay = HTTPFault().delay
    delay.fixed_delay.FromTimedelta(given.fixed_delay)
    delay.percentage.CopyFrom(millionths(given.percentage) if given.percentage else hundredths(given.percent))
    return delay


def _abort(given: Abort) -> Any:
    abort = HTTPFault().abort
    if given.percentage:
        abort.percentage.CopyFrom(millionths(given.percentage))
    if given.grpc_status:
        abort.grpc_status = _STATUS.index(given.grpc_status) if given.grpc_status in _STATUS else 0
    else:
        abort.http_status = given.http_status
    return abort
