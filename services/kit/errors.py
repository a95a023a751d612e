"""The errors a service answers with, and the one it gets from others.

Raised anywhere in a service; turned into a google.rpc.Status at one place, boundary. Nothing else speaks of status codes.

    ServiceError               what this service answers
    ├── InvalidRequest         INVALID_ARGUMENT     with BadRequest: which field, and what is wrong with it
    ├── NotFound               NOT_FOUND
    ├── AlreadyExists          ALREADY_EXISTS
    ├── Refused                FAILED_PRECONDITION  right in form, but not in this state; the same again is refused again
    ├── Unauthenticated        UNAUTHENTICATED      who calls is not known, or is not who it says
    ├── Forbidden              PERMISSION_DENIED    who calls may not do this
    ├── Unavailable            UNAVAILABLE          with RetryInfo: when to try again
    └── TimedOut               DEADLINE_EXCEEDED
    CallFailed                 what another service answered, or that it did not (services/kit/channel.py)

`reason` is the name of a value of the contract's ErrorReason, which says in its comment what it means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from grpc import StatusCode


@dataclass(frozen=True)
class Violation:
    """`field` as a path from the request: `lines[0].quantity`."""

    field: str
    description: str


class ServiceError(Exception):
    """What this service answers. `metadata` is for programs, the message for people."""

    code: ClassVar[StatusCode] = StatusCode.INTERNAL

    def __init__(self, reason: str, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata


class InvalidRequest(ServiceError):
    """The request breaks rules of its contract."""

    code = StatusCode.INVALID_ARGUMENT

    def __init__(self, violations: Sequence[Violation]) -> None:
        message = "; ".join(f"{v.field}: {v.description}" for v in violations)
        super().__init__("ERROR_REASON_INVALID_REQUEST", message)
        self.violations = tuple(violations)


class NotFound(ServiceError):
    """What was asked for does not exist."""

    code = StatusCode.NOT_FOUND


class AlreadyExists(ServiceError):
    """The id or key belongs to something else."""

    code = StatusCode.ALREADY_EXISTS


class Refused(ServiceError):
    """The state of things does not allow it."""

    code = StatusCode.FAILED_PRECONDITION


class Unauthenticated(ServiceError):
    """Who calls is not known, or is not who it says."""

    code = StatusCode.UNAUTHENTICATED


class Forbidden(ServiceError):
    """Who calls may not do this; the same with other credentials might."""

    code = StatusCode.PERMISSION_DENIED


class Unavailable(ServiceError):
    """Not now; `retry_after` seconds later perhaps."""

    code = StatusCode.UNAVAILABLE
    retry_after: ClassVar[float] = 1.0


class TimedOut(ServiceError):
    """Not known in time."""

    code = StatusCode.DEADLINE_EXCEEDED


class CallFailed(Exception):
    """A call to another service failed with `code`; `reason`, `domain` and `metadata` are its ErrorInfo's, where it sent one,
    `violations` its BadRequest's, and `retry_after` (seconds) its RetryInfo's.

    `refused` tells the two cases apart that a caller must treat differently: the other side looked at the call and did
    nothing, or nobody knows whether it did something.
    """

    KNOWN: ClassVar[frozenset[StatusCode]] = frozenset(
        {
            StatusCode.INVALID_ARGUMENT,
            StatusCode.NOT_FOUND,
            StatusCode.ALREADY_EXISTS,
            StatusCode.FAILED_PRECONDITION,
            StatusCode.PERMISSION_DENIED,
            StatusCode.UNAUTHENTICATED,
            StatusCode.RESOURCE_EXHAUSTED,
            StatusCode.OUT_OF_RANGE,
            StatusCode.UNIMPLEMENTED,
        }
    )

    def __init__(
        self,
        path: str,
        code: StatusCode,
        message: str,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        domain: str = "",
        violations: Sequence[Violation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{path}: {code.name}: {message}")
        self.path = path
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = metadata or {}
        self.domain = domain
        self.violations = tuple(violations)
        self.retry_after = retry_after

    @property
    def refused(self) -> bool:
        return self.code in self.KNOWN
