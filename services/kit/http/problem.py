"""Errors as application/problem+json (RFC 9457), made of the same classes that gRPC services answer with.

Input: a ServiceError of our own, a CallFailed of a service behind, with its google.rpc details, or an HTTPException of the framework.
Output: a `Problem` and its response:

    {"type": "urn:problem:shop.orders.v1:ERROR_REASON_OUT_OF_STOCK", "title": "Out of stock", "status": 409, "detail": "...",
     "reason": "ERROR_REASON_OUT_OF_STOCK", "domain": "shop.orders.v1", "metadata": {"order_id": "0198f"}, "trace_id": "..."}

with `errors` (field, description) for a request that breaks rules, and `retry_after` and a Retry-After header where another try may help.
The statuses are those of google/rpc/code.proto, but for FAILED_PRECONDITION: what is right in form and is refused by the state of
things is 409 here, so that 400 always means a request that must be changed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from grpc import StatusCode
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from services.gen.shop.rules.v1 import rules_pb2
from services.kit.call import CURRENT
from services.kit.errors import CallFailed, InvalidRequest, ServiceError, Unavailable, Violation

MEDIA_TYPE = "application/problem+json"
STATUSES = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.ABORTED: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 504,
}
_OWN = frozenset(
    {StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED}
)  # of a service behind: it refused us, not our caller
_EVERYWHERE = frozenset(rules_pb2.ErrorReason.keys())


@dataclass(frozen=True)
class Problem:
    """What the caller is told. `retry_after` in seconds."""

    status: int
    detail: str
    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def members(self) -> dict[str, Any]:
        """As JSON; what is empty is left out."""
        known = self.reason.removeprefix("ERROR_REASON_")
        call = CURRENT.get()
        found = {
            "type": f"urn:problem:{self.domain}:{self.reason}" if known else "about:blank",
            "title": known.replace("_", " ").capitalize() or HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "domain": self.domain,
            "metadata": dict(self.metadata),
            "errors": [{"field": each.field, "description": each.description} for each in self.violations],
            "retry_after": self.retry_after,
            "trace_id": call.span.trace_id if call else "",
        }
        return {name: value for name, value in found.items() if value or name == "detail"}


def of(error: Exception, domain: str) -> Problem:
    """What an error is to the caller of the service whose own errors are of `domain`."""
    if isinstance(error, ServiceError):
        return _own(error, domain)
    if isinstance(error, CallFailed):
        return _behind(error)
    if isinstance(error, HTTPException):
        return Problem(error.status_code, str(error.detail), headers=error.headers or {})
    return Problem(
        500,
        "a mistake in the service; its log has the rest, under the trace id",
        "ERROR_REASON_INTERNAL",
        rules_pb2.DESCRIPTOR.package,
    )


def _own(error: ServiceError, domain: str) -> Problem:
    challenge = {"www-authenticate": "Bearer"} if error.code is StatusCode.UNAUTHENTICATED else {}
    return Problem(
        STATUSES.get(error.code, 500),
        error.message,
        error.reason,
        rules_pb2.DESCRIPTOR.package if error.reason in _EVERYWHERE else domain,
        error.metadata,
        error.violations if isinstance(error, InvalidRequest) else (),
        error.retry_after if isinstance(error, Unavailable) else None,
        challenge,
    )


def _behind(error: CallFailed) -> Problem:
    """A service behind that failed in a way that our caller can do nothing about is a bad gateway."""
    status = 502 if error.code in _OWN else STATUSES.get(error.code, 502)
    again = 1.0 if error.code is StatusCode.UNAVAILABLE else None
    if error.reason:
        retry = error.retry_after or again
        return Problem(
            status, error.message, error.reason, error.domain, error.metadata, error.violations, retry
        )
    return Problem(
        status,
        f"{error.path}: {error.code.name}",  # a proxy's own words tell of the mesh's inside
        "ERROR_REASON_UPSTREAM_FAILED",
        rules_pb2.DESCRIPTOR.package,
        {"method": error.path},
        retry_after=again,
    )


def response(problem: Problem) -> JSONResponse:
    headers = dict(problem.headers)
    if problem.retry_after is not None:
        headers["retry-after"] = str(math.ceil(problem.retry_after))
    return JSONResponse(problem.members, problem.status, headers, MEDIA_TYPE)
