"""Errors to and from google.rpc.Status, the rich form that travels in the trailer grpc-status-details-bin.

Used by boundary (out) and channel (in). The details are those of AIP-193: ErrorInfo on every error, BadRequest on an
invalid request, RetryInfo where another try may help.
"""

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc.aio import AioRpcError

from services.gen.shop.rules.v1 import rules_pb2
from services.kit.errors import CallFailed, InvalidRequest, ServiceError, Unavailable, Violation

TRAILER = "grpc-status-details-bin"
_EVERYWHERE = frozenset(rules_pb2.ErrorReason.keys())


def to_trailer(error: ServiceError, domain: str) -> tuple[str, bytes]:
    """The trailer of an error of the service whose package is `domain`."""
    number: int = error.code.value[0]
    status = Status(code=number, message=error.message)
    if error.reason in _EVERYWHERE:
        domain = rules_pb2.DESCRIPTOR.package
    status.details.append(_packed(ErrorInfo(reason=error.reason, domain=domain, metadata=error.metadata)))
    if isinstance(error, InvalidRequest):
        fields = [
            BadRequest.FieldViolation(field=v.field, description=v.description) for v in error.violations
        ]
        status.details.append(_packed(BadRequest(field_violations=fields)))
    if isinstance(error, Unavailable):
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(int(error.retry_after * 1000))
        status.details.append(_packed(retry))
    return TRAILER, status.SerializeToString()


def _packed(detail: ErrorInfo | BadRequest | RetryInfo) -> Any:
    packed = Any()
    packed.Pack(detail)
    return packed


def from_call(path: str, error: AioRpcError) -> CallFailed:
    """What a failed call means. An error without details, from a proxy for instance, has no reason."""
    code, info, broken, retry = error.code(), ErrorInfo(), BadRequest(), RetryInfo()
    found = {
        type(detail)
        for packed in _details(error)
        for detail in (info, broken, retry)
        if packed.Unpack(detail)
    }
    return CallFailed(
        path,
        code,
        error.details() or code.name,
        info.reason,
        dict(info.metadata),
        info.domain,
        [Violation(each.field, each.description) for each in broken.field_violations],
        retry.retry_delay.ToMilliseconds() / 1000 if RetryInfo in found else None,
    )


def _details(error: AioRpcError) -> list[Any]:
    for key, value in error.trailing_metadata() or ():
        if key == TRAILER and isinstance(value, bytes):
            try:
                return list(Status.FromString(value).details)
            except DecodeError:  # a proxy's or an attacker's bytes: the code and the message still stand
                return []
    return []
