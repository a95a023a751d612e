"""A question asked for real: the order of requests for ``visit``, and whether what came back is what the proxies' configuration says.

A request must change nothing. A gRPC method is called with bytes that are no message, which every server refuses before any code of
the method runs; of plain HTTP only what is safe by RFC 9110 is sent. What carries claims is not sent, since nobody here can sign a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mesh.explain.answer import Answer, Verdict
from mesh.explain.question import Asked

_SAFE: Final = ("GET", "HEAD", "OPTIONS")
#: A whole gRPC frame of one byte, with which no protobuf message begins.
_NO_MESSAGE: Final = "0000000001ff"
_SECONDS: Final = 10.0
_DENIED: Final = "RBAC: access denied"
_UNREACHED: Final = (
    "no healthy upstream",
    "upstream connect error",
    "no_healthy_upstream",
    "cluster not found",
)
#: gRPC statuses: https://grpc.io/docs/guides/status-codes/
_PERMISSION_DENIED, _UNIMPLEMENTED, _UNAVAILABLE, _UNAUTHENTICATED = "7", "12", "14", "16"
_OWN: Final = ("envoy", "istio-envoy")

Order = dict[str, Any]


@dataclass(frozen=True)
class Came:
    """What came back; ``status`` 0 is nothing."""

    status: int
    headers: dict[str, str]
    body: str


def unsendable(asked: Asked, answer: Answer) -> str:
    """Why a request is not sent; empty when it may be."""
    request = asked.request
    if not asked.connection.address:
        return f"no address of {asked.host} is known"
    if request is None:
        return ""
    if request.claims is not None:
        return "it carries a token"
    if answer.fault:
        return "faults are injected at random"
    if not request.http2 and request.method not in _SAFE:
        return f"{request.method} may change something"
    return ""


def order(asked: Asked, host: str, port: int, count: int = 1) -> Order:
    """What ``visit`` is told to send there."""
    request = asked.request
    made: Order = {"host": host, "port": port, "count": count, "seconds": _SECONDS, "path": "", "body": ""}
    if request is None:
        return made
    headers = {"host": request.authority, **request.headers}
    body = _NO_MESSAGE if request.http2 else ""
    return {**made, "verb": request.method, "path": request.path, "headers": headers, "body": body}


def difference(answer: Answer, came: Sequence[Came]) -> str:
    """Where what came is not what was said; empty when it is."""
    if answer.verdict is Verdict.DIVIDED:
        return ""
    for each in came:
        got = verdict(each) if answer.request else _of_bytes(each, answer)
        if got is Verdict.ALLOWED and answer.verdict is Verdict.ANSWERED:
            got = Verdict.ANSWERED if each.status == answer.status else Verdict.ALLOWED
        if got is not answer.verdict:
            return f"a request: expected {answer.verdict}, got {got} ({_shown(each)})"
    return ""


def verdict(came: Came) -> Verdict:
    """What an answer to a request tells, as far as an answer can."""
    if not came.status:
        return Verdict.UNREACHABLE
    status = came.headers.get("grpc-status")
    said = came.headers.get("grpc-message", "") if status else came.body
    if said.startswith(_DENIED) or (status == _UNAUTHENTICATED and said.startswith("Jwt")):
        return Verdict.REFUSED
    if said.startswith(_UNREACHED) or (status == _UNAVAILABLE and not said) or came.status == 502:
        return Verdict.UNREACHABLE
    own = came.headers.get("server") in _OWN and "x-envoy-upstream-service-time" not in came.headers
    if own and not said:  # of a cluster that it does not have Envoy says no more than 503
        return {404: Verdict.UNROUTED, 503: Verdict.UNREACHABLE}.get(came.status, _untold(status))
    return Verdict.ALLOWED


def _untold(status: str | None) -> Verdict:
    return Verdict.UNROUTED if status == _UNIMPLEMENTED else Verdict.ALLOWED


def _of_bytes(came: Came, answer: Answer) -> Verdict:
    """A connection that is closed does not say who closed it."""
    if came.status:
        return Verdict.ALLOWED
    return answer.verdict if answer.verdict is not Verdict.ALLOWED else Verdict.REFUSED


def _shown(came: Came) -> str:
    if not came.status:
        return came.body
    told = came.headers.get("grpc-status")
    said = came.headers.get("grpc-message", "") if told else came.body
    return f"gRPC status {told} {said}".rstrip() if told else f"{came.status} {said}".rstrip()
