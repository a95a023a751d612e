"""Envoy's matchers of text, headers and query parameters.

Source: Envoy's string_matcher, HeaderUtility and ConfigUtility; regular expressions are RE2's, of which Python's are taken to be a superset.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from mesh.simulate.request import Request


class Unsimulated(Exception):
    """Something in the resources that this simulation cannot follow; the message says what."""


def matches(matcher: Any, value: str) -> bool:
    """Whether a StringMatcher takes a value."""
    kind = matcher.WhichOneof("match_pattern")
    if kind == "safe_regex":
        return fits(matcher.safe_regex.regex, value)
    wanted = str(getattr(matcher, kind)) if kind else ""
    if matcher.ignore_case:
        wanted, value = wanted.lower(), value.lower()
    found = {
        "exact": value == wanted,
        "prefix": value.startswith(wanted),
        "suffix": value.endswith(wanted),
        "contains": wanted in value,
    }
    if kind not in found:
        raise Unsimulated(f"a string matcher of kind {kind}")
    return found[kind]


def fits(pattern: str, value: str) -> bool:
    """Whether a regular expression takes the whole of a value."""
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise Unsimulated(f"the regular expression {pattern!r}: {error}") from None


def header(matcher: Any, request: Request) -> bool:
    """Whether a HeaderMatcher takes a request. What asks for a value never takes a header that is missing, inverted or not."""
    value = request.header(matcher.name)
    if value is None and matcher.treat_missing_header_as_empty:
        value = ""
    kind = matcher.WhichOneof("header_match_specifier") or "present_match"
    if kind == "present_match":
        wanted = matcher.present_match if matcher.HasField("present_match") else True
        return bool(((value is not None) == wanted) != matcher.invert_match)
    return value is not None and _value(matcher, kind, value) != matcher.invert_match


def _value(matcher: Any, kind: str, value: str) -> bool:
    if kind == "string_match":
        return matches(matcher.string_match, value)
    if kind == "safe_regex_match":
        return fits(matcher.safe_regex_match.regex, value)
    if kind == "range_match":
        whole = value.lstrip("-").isdigit()
        return bool(whole and matcher.range_match.start <= int(value) < matcher.range_match.end)
    wanted = str(getattr(matcher, kind))
    tests = {
        "exact_match": value == wanted,
        "prefix_match": value.startswith(wanted),
        "suffix_match": value.endswith(wanted),
        "contains_match": wanted in value,
    }
    return tests[kind]


def parameter(matcher: Any, request: Request) -> bool:
    """Whether a QueryParameterMatcher takes a request: the first value of a parameter counts."""
    query = request.path.partition("#")[0].partition("?")[2]
    found = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == matcher.name]
    if matcher.WhichOneof("query_parameter_match_specifier") == "string_match":
        return bool(found) and matches(matcher.string_match, found[0])
    return bool(found)
