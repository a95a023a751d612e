"""Matchers of metadata: the claims of a token, as the JWT filter leaves them. Source: Envoy's MetadataMatcher and ValueMatcher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.envoy.filters import JWT
from mesh.simulate.request import Request
from mesh.simulate.text import Unsimulated, matches


def metadata(matcher: Any, request: Request) -> bool:
    """Whether a request's dynamic metadata has what is asked for."""
    value: Any = (
        {"payload": request.verified} if matcher.filter == JWT and request.verified is not None else None
    )
    for segment in matcher.path:
        value = value.get(segment.key) if isinstance(value, Mapping) else None
    return bool(_value(matcher.value, value) != matcher.invert)


def _value(matcher: Any, value: Any) -> bool:
    kind = matcher.WhichOneof("match_pattern")
    if kind == "string_match":
        return isinstance(value, str) and matches(matcher.string_match, value)
    if kind == "list_match":
        return isinstance(value, list) and any(_value(matcher.list_match.one_of, each) for each in value)
    if kind == "or_match":
        return any(_value(each, value) for each in matcher.or_match.value_matchers)
    if kind == "bool_match":
        return isinstance(value, bool) and value == matcher.bool_match
    if kind == "present_match":
        return bool((value is not None) == matcher.present_match)
    raise Unsimulated(f"a matcher of metadata of kind {kind}")
