"""Where a redirect leads. Source: Envoy's RouteEntryImplBase::newUri."""

from __future__ import annotations

from typing import Any, Final

from mesh.simulate.request import Request

STATUS: Final = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_DEFAULT_PORT: Final = {"http": "80", "https": "443"}


def location(route: Any, request: Request) -> str:
    """The ``location`` header of the answer."""
    given = route.redirect
    scheme = given.scheme_redirect or ("https" if given.https_redirect else request.scheme)
    host, colon, port = request.authority.partition(":")
    if scheme != request.scheme and port == _DEFAULT_PORT.get(request.scheme):
        colon = port = ""
    host = given.host_redirect or host
    if given.port_redirect:
        colon, port = ":", str(given.port_redirect)
    elif given.host_redirect:
        colon = port = ""
    return f"{scheme}://{host}{colon}{port}{_path(route, given, request)}"


def _path(route: Any, given: Any, request: Request) -> str:
    query = "" if given.strip_query else request.path[len(request.plain_path) :]
    kind = given.WhichOneof("path_rewrite_specifier")
    if kind == "path_redirect" and given.path_redirect:
        return f"{given.path_redirect}{'' if '?' in given.path_redirect else query}"
    if kind == "prefix_rewrite":
        matched = route.match.WhichOneof("path_specifier")
        length = (
            len(getattr(route.match, matched)) if matched in ("prefix", "path") else len(request.plain_path)
        )
        return f"{given.prefix_rewrite}{request.plain_path[length:]}{query}"
    return f"{request.plain_path}{query}"
