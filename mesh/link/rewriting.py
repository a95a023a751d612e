"""Rewrites and redirects of a route: what istiod or the API server refuses. Source: istio validation.go and virtualservice.go."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.regex import mistake
from mesh.link.spot import Spot
from mesh.resources.istio.virtualservice import HTTPRedirect, HTTPRewrite, HTTPRoute
from mesh.resources.problem import Problem

_AUTHORITY = ("host", ":authority")


def invalid(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    """What is refused, of a route at ``at``."""
    if route.rewrite:
        yield from _rewrite(at / "rewrite", route.rewrite)
    if route.redirect:
        yield from _redirect(at / "redirect", route.redirect)
    yield from _authority(at, route)


def _rewrite(at: Spot, rewrite: HTTPRewrite) -> Iterator[Problem]:
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


def _redirect(at: Spot, redirect: HTTPRedirect) -> Iterator[Problem]:
    code = redirect.redirect_code
    if code and not 300 <= code < 400:
        fix = "use 301, 302, 303, 307 or 308"
        yield (at / "redirectCode").problem("MW0304", f"{code} is not a redirect", fix)
    if redirect.scheme not in ("", "http", "https"):
        yield (at / "scheme").problem("MW0308", f"{redirect.scheme!r} is no scheme", "use http or https")
    if redirect.port >= 65536:
        yield (at / "port").problem("MW0304", f"{redirect.port} is not a port", "use 1 to 65535")
    if redirect.port and redirect.derive_port is not None:
        yield at.problem("MW0302", "port and derivePort cannot stand together", "keep one")
    target = (redirect.uri, redirect.prefix_rewrite, redirect.authority, redirect.scheme, redirect.port)
    if not any(target) and redirect.derive_port is None:
        yield at.problem("MW0302", "this redirect leads nowhere", "give uri, authority, scheme or port")


def _authority(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    """The authority that a request gets is said in one place. Source: istio virtualservice.go, validateAuthorityRewrite."""
    said = bool(route.rewrite and route.rewrite.authority)
    request = route.headers.request if route.headers else None
    changed = (("set", request.set), ("add", request.add)) if request else ()
    for field, values in changed:
        for name, value in values.items():
            if name.lower() in _AUTHORITY and said:
                spot = at / "headers" / "request" / field / name
                yield spot.problem("MW0302", "the authority is set twice", "keep rewrite.authority")
            said = said or bool(name.lower() in _AUTHORITY and value)
