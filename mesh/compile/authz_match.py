"""The values of an AuthorizationPolicy as Envoy's matchers.

``*`` is anything, ``*x`` a suffix, ``x*`` a prefix, else the whole. Source: pilot/pkg/security/authz/matcher.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from envoy.config.route.v3.route_components_pb2 import HeaderMatcher
from envoy.type.matcher.v3.metadata_pb2 import MetadataMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from envoy.type.matcher.v3.value_pb2 import ValueMatcher

from mesh.envoy.filters import JWT

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


def quoted(text: str) -> str:
    """Text as a regular expression that matches only itself, escaped as Go's regexp.QuoteMeta does."""
    return _SPECIAL.sub(r"\\\1", text)


def text(value: str, prefix: str = "") -> StringMatcher:
    """A value; ``prefix`` stands before it in what is matched, as ``spiffe://`` before a principal."""
    if value == "*":
        return regex(".+")
    if value.startswith("*"):
        rest = value.removeprefix("*")
        return regex(f"{prefix}.*{quoted(rest)}") if prefix else StringMatcher(suffix=rest)
    if value.endswith("*"):
        return StringMatcher(prefix=prefix + value.removesuffix("*"))
    return StringMatcher(exact=prefix + value)


def regex(pattern: str) -> StringMatcher:
    return StringMatcher(safe_regex={"regex": pattern})


def header(name: str, value: str, ignore_case: bool = False) -> HeaderMatcher:
    if value == "*":
        return HeaderMatcher(name=name, present_match=True)
    if value.startswith("*"):
        match = StringMatcher(suffix=value[1:], ignore_case=ignore_case)
    elif value.endswith("*"):
        match = StringMatcher(prefix=value[:-1], ignore_case=ignore_case)
    else:
        match = StringMatcher(exact=value, ignore_case=ignore_case)
    return HeaderMatcher(name=name, string_match=match)


def claim(name: str, match: StringMatcher) -> MetadataMatcher:
    """One claim of a validated token, as text."""
    return MetadataMatcher(
        filter=JWT, path=[{"key": "payload"}, {"key": name}], value={"string_match": match}
    )


def claims(path: Sequence[str], values: Sequence[str]) -> MetadataMatcher:
    """A claim that is, or has in its list, one of the values."""
    match = _any([ValueMatcher(string_match=text(value)) for value in values])
    listed = ValueMatcher(list_match={"one_of": match})
    return MetadataMatcher(
        filter=JWT,
        path=[{"key": "payload"}, *({"key": key} for key in path)],
        value={"or_match": {"value_matchers": [listed, match]}},
    )


def _any(matchers: list[ValueMatcher]) -> ValueMatcher:
    return matchers[0] if len(matchers) == 1 else ValueMatcher(or_match={"value_matchers": matchers})
