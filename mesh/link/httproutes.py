"""One HTTP route of a VirtualService: what istiod refuses in it.

Source: istio pkg/config/validation/virtualservice.go and validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link import cors, headers, retries, rewriting
from mesh.link.faults import invalid as faults
from mesh.link.faults import percentage
from mesh.link.matching import invalid as matching
from mesh.link.spot import Spot
from mesh.link.target import destination
from mesh.resources.istio.virtualservice import HTTPRoute
from mesh.resources.problem import Problem

_LARGEST_BODY: Final = 1024 * 1024
_ALL: Final = 100
_ACTIONS: Final = "route, redirect and directResponse"


def invalid(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    """What istiod refuses."""
    yield from _action(at, route)
    for i, match in enumerate(route.match):
        yield from matching(at / "match" / i, match)
    for i, target in enumerate(route.route):
        yield from destination(at / "route" / i / "destination", target.destination)
        yield from headers.operations(at / "route" / i / "headers", target.headers)
    if len(route.route) > 1 and not any(target.weight for target in route.route):
        yield (at / "route").problem(
            "MW0301", "the weights add up to 0, so that nothing is sent anywhere", "add up to 100"
        )
    if route.mirror:
        yield from destination(at / "mirror", route.mirror)
    yield from percentage(at / "mirrorPercentage", route.mirror_percentage)
    for i, mirror in enumerate(route.mirrors):
        yield from destination(at / "mirrors" / i / "destination", mirror.destination)
        yield from percentage(at / "mirrors" / i / "percentage", mirror.percentage)
    if route.mirror and route.mirrors:
        yield (at / "mirror").problem("MW0302", "mirror and mirrors cannot stand together", "keep mirrors")
    if (route.mirror_percent or 0) > _ALL:
        text = f"{route.mirror_percent} is more than {_ALL} %"
        yield (at / "mirrorPercent").problem("MW0304", text, "use mirrorPercentage")
    yield from headers.operations(at / "headers", route.headers)
    yield from faults(at / "fault", route.fault)
    yield from retries.invalid(at / "retries", route.retries)
    yield from rewriting.invalid(at, route)
    yield from cors.invalid(at / "corsPolicy", route.cors_policy)


def _action(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    actions = [bool(route.route), route.redirect is not None, route.direct_response is not None]
    if route.delegate is not None and (route.route or route.redirect):
        text = "a route that delegates has no route or redirect of its own"
        yield (at / "delegate").problem("MW0302", text, "keep one")
    if sum(actions) != 1 and route.delegate is None:
        yield at.problem("MW0302", f"a route needs exactly one of {_ACTIONS}", "give one")
    for field, given in (("fault", route.fault), ("rewrite", route.rewrite)):
        if given and not route.route and route.delegate is None:
            yield (at / field).problem("MW0302", f"{field} needs a route to a destination", "remove it")
    answer = route.direct_response
    if answer and not 200 <= answer.status < 600:
        text = f"{answer.status} is not an HTTP status"
        yield (at / "directResponse" / "status").problem("MW0304", text, "use 200 to 599")
    body = answer.body if answer else None
    if body and len(body.string or body.bytes or "") > _LARGEST_BODY:
        yield (at / "directResponse" / "body").problem(
            "MW0304", "the body is over 1 MiB", "serve it from a service"
        )
