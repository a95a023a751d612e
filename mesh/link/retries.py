"""Retries and timeouts of a route: what istiod refuses, and retries that never come. Source: istio validation.go, validateHTTPRetry."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.istio.virtualservice import HTTPRetry, HTTPRoute
from mesh.resources.problem import Problem

RETRY_ON: Final = frozenset(
    [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ]
)
_STATUSES: Final = frozenset(str(status.value) for status in HTTPStatus)


def invalid(at: Spot, retries: HTTPRetry | None) -> Iterator[Problem]:
    """What istiod refuses."""
    if retries is None:
        return
    rest = retries.per_try_timeout or retries.retry_on or retries.retry_remote_localities is not None
    if not retries.attempts and rest:
        text = "attempts is 0, which turns retries off"
        yield at.problem("MW0302", text, "give attempts, or remove the rest")
    for condition in retries.retry_on.split(",") if retries.retry_on else ():
        if condition not in RETRY_ON and condition not in _STATUSES:
            fix = f"use, with commas and no blanks: {', '.join(sorted(RETRY_ON))}, or a status"
            yield (at / "retryOn").problem("MW0308", f"{condition!r} is not something to retry on", fix)


def idle(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    """A try that may take as long as the whole call: when it times out, no time is left for another."""
    longest = route.retries.per_try_timeout if route.retries else None
    if longest and route.timeout and longest >= route.timeout:
        text = (
            f"one try may take {longest.total_seconds():g} s, and all of them {route.timeout.total_seconds():g} s, "
            "so that a try that times out is never repeated"
        )
        fix = "make perTryTimeout shorter than timeout"
        yield (at / "retries" / "perTryTimeout").problem("MW0312", text, fix)
