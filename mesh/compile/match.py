"""Which requests a route is for. Source: istiod's TranslateRouteMatch.

A prefix is compared byte by byte: ``/shop`` also matches ``/shopping``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from envoy.config.route.v3.route_components_pb2 import (
    HeaderMatcher,
    QueryParameterMatcher,
    RouteMatch,
)
from envoy.type.matcher.v3.metadata_pb2 import MetadataMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from mesh.compile.claim import claim_path, jwt_claim
from mesh.resources.istio.shared import StringMatch
from mesh.resources.istio.virtualservice import HTTPMatch

AUTHORITY: Final = ":authority"


def route_match(given: HTTPMatch | None) -> RouteMatch:
    """Everything, when nothing is said."""
    if given is None:
        return RouteMatch(prefix="/")
    match = _path(given.uri)
    match.headers.extend(_headers(given))
    match.dynamic_metadata.extend(_claims(given.headers, False))
    match.dynamic_metadata.extend(_claims(given.without_headers, True))
    match.query_parameters.extend(_parameter(name, value) for name, value in given.query_params.items())
    match.case_sensitive.value = not given.ignore_uri_case
    return match


def matches_everything(match: RouteMatch) -> bool:
    """Whether no request gets past a route with this match."""
    catch_all = match.prefix == "/" or match.path_separated_prefix == "/" or match.safe_regex.regex == ".*"
    return catch_all and not (match.headers or match.query_parameters or match.dynamic_metadata)


def string_match(given: StringMatch) -> StringMatcher | None:
    if given.exact is not None:
        return StringMatcher(exact=given.exact)
    if given.prefix is not None:
        return StringMatcher(prefix=given.prefix)
    if given.regex is not None:
        return StringMatcher(safe_regex={"regex": given.regex})
    return None


def _path(uri: StringMatch | None) -> RouteMatch:
    if uri is None:
        return RouteMatch(prefix="/")
    if uri.exact is not None:
        return RouteMatch(path=uri.exact)
    if uri.regex is not None:
        return RouteMatch(safe_regex={"regex": uri.regex})
    return RouteMatch(prefix="/" if uri.prefix is None else uri.prefix)


def _headers(given: HTTPMatch) -> list[HeaderMatcher]:
    """The headers by name, then what HTTP/2 sends as headers of its own."""
    wanted = [_header(n, m) for n, m in given.headers.items() if not claim_path(n)]
    unwanted = [_without(n, m) for n, m in given.without_headers.items() if not claim_path(n)]
    named = sorted([*wanted, *unwanted], key=lambda matcher: str(matcher.name))
    pseudo = ((":method", given.method), (AUTHORITY, given.authority), (":scheme", given.scheme))
    return [*named, *(_header(name, value) for name, value in pseudo if value is not None)]


def _header(name: str, given: StringMatch) -> HeaderMatcher:
    if _any(given):
        return HeaderMatcher(name=name, present_match=True)
    return HeaderMatcher(name=name, string_match=string_match(given))


def _without(name: str, given: StringMatch) -> HeaderMatcher:
    matcher = _header(name, given)
    matcher.invert_match = True
    matcher.treat_missing_header_as_empty = not _any(given)
    return matcher


def _claims(given: Mapping[str, StringMatch], invert: bool) -> Iterable[MetadataMatcher]:
    for name, value in given.items():
        path, match = claim_path(name), string_match(value)
        if path and match is not None:
            yield jwt_claim(path, match, invert)


def _parameter(name: str, given: StringMatch) -> QueryParameterMatcher:
    if _any(given):
        return QueryParameterMatcher(name=name, present_match=True)
    return QueryParameterMatcher(name=name, string_match=string_match(given))


def _any(given: StringMatch) -> bool:
    """Whether the name alone matters."""
    return given.regex == "*" or given == StringMatch()
