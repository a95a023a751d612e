"""One HTTP route of a VirtualService: what istiod refuses in it, and routes that no request reaches.

Source: istio pkg/config/validation/virtualservice.go and validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.link import headers
from mesh.link.faults import invalid as faults
from mesh.link.faults import percentage
from mesh.link.hosts import is_domain
from mesh.link.matching import invalid as matching
from mesh.link.matching import string
from mesh.link.regex import mistake
from mesh.link.spot import Spot
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import (
    CorsPolicy,
    HTTPMatch,
    HTTPRedirect,
    HTTPRetry,
    HTTPRewrite,
    HTTPRoute,
)
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
_METHODS: Final = frozenset(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"]
)
_LARGEST_BODY: Final = 1024 * 1024
_ACTIONS: Final = "route, redirect and directResponse"


def invalid(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    """What istiod refuses."""
    yield from _action(at, route)
    for i, match in enumerate(route.match):
        yield from matching(at / "match" / i, match)
    for i, target in enumerate(route.route):
        yield from _destination(at / "route" / i / "destination", target.destination)
        yield from headers.operations(at / "route" / i / "headers", target.headers)
    if len(route.route) > 1 and not any(target.weight for target in route.route):
        yield (at / "route").problem(
            "MW0301", "the weights add up to 0, so that nothing is sent anywhere", "add up to 100"
        )
    if route.mirror:
        yield from _destination(at / "mirror", route.mirror)
    yield from percentage(at / "mirrorPercentage", route.mirror_percentage)
    yield from headers.operations(at / "headers", route.headers)
    yield from faults(at / "fault", route.fault)
    yield from _retries(at / "retries", route.retries)
    yield from _rewrite(at / "rewrite", route.rewrite)
    yield from _redirect(at / "redirect", route.redirect)
    yield from _cors(at / "corsPolicy", route.cors_policy)


def _action(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    actions = [bool(route.route), route.redirect is not None, route.direct_response is not None]
    if sum(actions) != 1 and route.delegate is None:
        yield at.problem("MW0302", f"a route needs exactly one of {_ACTIONS}", "give one")
    if not route.route and (route.fault or route.rewrite) and route.delegate is None:
        yield at.problem("MW0302", "fault and rewrite need a route to a destination", "remove them")
    answer = route.direct_response
    if answer and not 200 <= answer.status < 600:
        text = f"{answer.status} is not an HTTP status"
        yield (at / "directResponse" / "status").problem("MW0304", text, "use 200 to 599")
    body = answer.body if answer else None
    if body and len(body.string or body.bytes or "") > _LARGEST_BODY:
        yield (at / "directResponse" / "body").problem(
            "MW0304", "the body is over 1 MiB", "serve it from a service"
        )


def _destination(at: Spot, to: Destination) -> Iterator[Problem]:
    if to.host == "*" or not is_domain(to.host):
        yield (at / "host").problem("MW0310", f"{to.host!r} is not a host name", "name a service")
    if to.port and not 0 < to.port.number < 65536:
        yield (at / "port" / "number").problem("MW0304", f"{to.port.number} is not a port", "use 1 to 65535")


def _retries(at: Spot, retries: HTTPRetry | None) -> Iterator[Problem]:
    if retries is None:
        return
    if not retries.attempts and (retries.per_try_timeout or retries.retry_on):
        yield at.problem(
            "MW0302", "attempts is 0, which turns retries off", "give attempts, or remove the rest"
        )
    for condition in retries.retry_on.split(",") if retries.retry_on else ():
        status = condition.isascii() and condition.isdigit() and 100 <= int(condition) < 600
        if condition not in RETRY_ON and not status:
            fix = f"use, with commas and no blanks: {', '.join(sorted(RETRY_ON))}, or a status"
            yield (at / "retryOn").problem("MW0308", f"{condition!r} is not something to retry on", fix)


def _rewrite(at: Spot, rewrite: HTTPRewrite | None) -> Iterator[Problem]:
    if rewrite is None:
        return
    regex = rewrite.uri_regex_rewrite
    if rewrite.uri and regex:
        yield at.problem("MW0302", "a rewrite has either uri or uriRegexRewrite", "remove one")
    if not (rewrite.uri or regex or rewrite.authority):
        yield at.problem("MW0302", "this rewrite changes nothing", "give uri, uriRegexRewrite or authority")
    if regex and not regex.rewrite:
        yield (at / "uriRegexRewrite").problem("MW0302", "there is nothing to rewrite to", "give rewrite")
    if regex and (reason := mistake(regex.match)):
        text = f"not an RE2 expression: {reason}"
        yield (at / "uriRegexRewrite" / "match").problem("MW0303", text, "mend it")


def _redirect(at: Spot, redirect: HTTPRedirect | None) -> Iterator[Problem]:
    if redirect is None:
        return
    code = redirect.redirect_code
    if code and not 300 <= code < 400:
        yield (at / "redirectCode").problem(
            "MW0304", f"{code} is not a redirect", "use 301, 302, 303, 307 or 308"
        )
    if redirect.scheme not in ("", "http", "https"):
        yield (at / "scheme").problem("MW0308", f"{redirect.scheme!r} is no scheme", "use http or https")
    target = (redirect.uri, redirect.prefix_rewrite, redirect.authority, redirect.scheme, redirect.port)
    if not any(target) and redirect.derive_port is None:
        yield at.problem("MW0302", "this redirect leads nowhere", "give uri, authority, scheme or port")


def _cors(at: Spot, cors: CorsPolicy | None) -> Iterator[Problem]:
    if cors is None:
        return
    for i, origin in enumerate(cors.allow_origins):
        if not (origin.exact or origin.prefix or origin.regex):
            yield (at / "allowOrigins" / i).problem(
                "MW0302", "this origin matches nothing", "give exact, prefix or regex"
            )
        yield from string(at / "allowOrigins" / i, origin, empty_prefix=True)
    for i, method in enumerate(cors.allow_methods):
        if method not in _METHODS:
            text = f"{method!r} is not an HTTP method"
            yield (at / "allowMethods" / i).problem(
                "MW0308", text, f"use one of: {', '.join(sorted(_METHODS))}"
            )
    if cors.max_age is not None and cors.max_age.microseconds:
        yield (at / "maxAge").problem("MW0304", "maxAge counts whole seconds", "round it")


def unreachable(at: Spot, routes: Sequence[HTTPRoute]) -> Iterator[Problem]:
    """Routes after one that matches every request, and matches that an earlier route of the list has already."""
    everything: int | None = None
    seen: list[HTTPMatch] = []
    for i, route in enumerate(routes):
        if everything is not None:
            text = f"no request reaches this route: http[{everything}] matches every request"
            yield (at / i).problem("MW0307", text, "move it up")
            continue
        if route.match and all(match in seen for match in route.match):
            yield (at / i).problem(
                "MW0307", "no request reaches this route: earlier ones have the same match", "remove it"
            )
        seen += route.match
        if not route.match or any(_matches_all(match) for match in route.match):
            everything = i


def _matches_all(match: HTTPMatch) -> bool:
    uri = match.uri
    root = uri is not None and (uri.prefix == "/" or uri.regex == "*")
    return match == HTTPMatch(name=match.name, stat_prefix=match.stat_prefix, uri=uri if root else None)
