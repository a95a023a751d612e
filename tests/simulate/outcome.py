"""What may come of a request by simulate's trace, and what came: both as the same plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from mesh.simulate.request import Request
from mesh.simulate.trace import Arrival, Outcome, Pass, Retries, Trace
from tests.simulate.envoy import ECHOED
from tests.simulate.stage import Stage

_FAILED: Final = 503
_NOTHING: Final = "-"
_GRPC: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
#: Of retryOn, the conditions that an answer of 503 meets (Envoy's router filter).
_RETRIED: Final = frozenset({"5xx", "gateway-error"})


@dataclass(frozen=True)
class Result:
    """``kind`` is app, denied, answer or nothing; ``where`` the application's workload or a redirect's location.

    ``attempt`` is the number of the try that was answered, 0 where it cannot be told.
    """

    kind: str
    status: int = 0
    where: str = ""
    sent: Mapping[str, str] = field(default_factory=dict, hash=False)
    attempt: int = 0


NOTHING: Final = Result("nothing")
DENIED: Final = Result("denied", 403)


def possible(stage: Stage, trace: Trace, request: Request) -> list[Result] | None:
    """Every Result that the trace allows; None when it leads out of the stage, where nobody can say."""
    out = trace.outbound
    found = list(_aborted(out))
    if out.outcome is not Outcome.FORWARDED:
        return [*found, _ended(out)]
    for each in trace.arrivals:
        if each.endpoint is not None and each.inbound is None:
            return None
        found.append(_arrived(stage, out, each, request))
    return found


def _aborted(out: Pass) -> Iterator[Result]:
    fault = out.route.fault if out.route else None
    if fault and fault.aborted:
        yield Result("answer", 200 if fault.grpc else fault.status)
        yield Result("answer", -fault.status)  # to a gRPC caller


def _ended(made: Pass) -> Result:
    if made.outcome is Outcome.REFUSED:
        return DENIED if made.http else NOTHING
    if made.outcome in (Outcome.UNROUTED, Outcome.ANSWERED):
        return Result("answer", made.status, made.route.location if made.route else "")
    return NOTHING


def _arrived(stage: Stage, out: Pass, arrival: Arrival, request: Request) -> Result:
    there = arrival.inbound
    if there is None or there.outcome is not Outcome.FORWARDED or arrival.endpoint is None:
        return _ended(there) if there else NOTHING
    if not there.shares or there.shares[0].cluster is None or not there.shares[0].cluster.endpoints:
        return NOTHING
    at = stage.apps.get(there.shares[0].cluster.endpoints[0].port, "?")
    failing = "x-fail" in request.headers
    share = next(each for each in out.shares if each.name == arrival.cluster)
    retries = out.route.retries if out.route else None
    grpc = request.headers.get("content-type") == "application/grpc"
    attempt = retries.attempts if failing and retries and _retried(retries, grpc) else 1
    sent = _leaving(share.sent) if share.sent else {}
    counted = attempt if out.http and there.http else 0
    return Result("app", _FAILED if failing and not grpc else 200, at, sent, counted)


def _retried(retries: Retries, grpc: bool) -> bool:
    """To a gRPC caller Envoy says 503 as status UNAVAILABLE, on an HTTP answer of 200."""
    on = set(retries.on.split(","))
    if grpc:
        return "unavailable" in on
    return bool(on & _RETRIED) or ("retriable-status-codes" in on and _FAILED in retries.codes)


def _leaving(sent: Request) -> dict[str, str]:
    told = {name: sent.headers.get(name, _NOTHING) or _NOTHING for name in ECHOED}
    return {"path": sent.path, "authority": sent.authority, **told}


def came(status: int, headers: Mapping[str, str], body: str) -> Result:
    """Of an answer; of status 0 when there was none. A gRPC status that Envoy gives by itself stands as the HTTP statuses that become it."""
    said = headers.get("grpc-message", "") or body
    if not status or said.startswith(("upstream connect error", "no healthy upstream")):
        return NOTHING
    if "got-at" in headers:
        sent = {name: headers.get(f"got-{name}", _NOTHING) for name in ("path", "authority", *ECHOED)}
        attempt = headers.get("got-attempt", "")
        return Result("app", status, headers["got-at"], sent, int(attempt) if attempt.isdigit() else 0)
    if said == "RBAC: access denied":
        return DENIED
    given = headers.get("grpc-status")
    return Result("answer", -int(given) if given else status, headers.get("location", ""))


def agrees(expected: list[Result], got: Result) -> bool:
    return any(_same(each, got) for each in expected)


def _same(one: Result, got: Result) -> bool:
    if one.kind == "nothing" and got.kind == "answer":
        return _status(_FAILED, got.status)  # of a cluster that is not there Envoy says no more than this
    if (one.kind, one.where) != (got.kind, got.where):
        return False
    if one.kind != "app":
        return _status(one.status, got.status)
    counted = not one.attempt or not got.attempt or one.attempt == got.attempt
    return one.status == got.status and (not one.sent or one.sent == got.sent) and counted


def _status(http: int, got: int) -> bool:
    """Source: Envoy's Grpc::Utility::httpToGrpcStatus."""
    return got in (http, -_GRPC.get(http, 2))
