"""Header names and values as istiod accepts them. Source: istio pkg/config/validation, validation.go and header_value_validator.go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.istio.virtualservice import HeaderOperations, Headers
from mesh.resources.problem import Problem

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PSEUDO: Final = frozenset({":method", ":scheme", ":authority", ":path", ":status"})
_CLAIM: Final = "@request.auth.claims"
_VALUE: Final = re.compile("[^\x00-\x08\x0a-\x1f\x7f]*")
#: Text with %% for a percent sign and %VARIABLE% or %VARIABLE(arguments)% for what Envoy puts in.
_FORMAT: Final = re.compile(r"(?:[^%]|%%|%[^%()]+(?:\((?:[^)\\]|\\.)*\)\s*)?%)*")
_FIX: Final = "write %% for a percent sign"


def matched(spot: Spot, name: str) -> Iterator[Problem]:
    """A header that a match looks at."""
    if name not in _PSEUDO and not is_claim(name) and not _NAME.fullmatch(name):
        yield spot.problem("MW0309", f"{name!r} is not the name of a header", "as in x-user")


def named(spot: Spot, name: str) -> Iterator[Problem]:
    """A header that a CORS policy names, or ``*``."""
    if name != "*" and not _NAME.fullmatch(name):
        yield spot.problem("MW0309", f"{name!r} is not the name of a header", "as in x-user")


def is_name(name: str) -> bool:
    """Whether a header may be called so."""
    return _NAME.fullmatch(name) is not None


def is_claim(name: str) -> bool:
    """Whether a match on a header is Istio's way to look at a claim of a token."""
    return name.lower().startswith(_CLAIM) and len(name) > len(_CLAIM)


def operations(spot: Spot, headers: Headers | None) -> Iterator[Problem]:
    """What a route does to headers."""
    if headers is None:
        return
    if headers.request:
        yield from _operations(spot / "request", headers.request, authority=True)
    if headers.response:
        yield from _operations(spot / "response", headers.response, authority=False)


def _operations(spot: Spot, given: HeaderOperations, authority: bool) -> Iterator[Problem]:
    changed: Mapping[str, Mapping[str, str]] = {"set": given.set, "add": given.add}
    for field, values in changed.items():
        for name, value in values.items():
            yield from _changeable(spot / field / name, name, authority)
            if not _VALUE.fullmatch(value) or not _FORMAT.fullmatch(value):
                yield (spot / field / name).problem("MW0309", f"Envoy cannot read the value {value!r}", _FIX)
    for i, name in enumerate(given.remove):
        yield from _changeable(spot / "remove" / i, name, authority=False)


def _changeable(spot: Spot, name: str, authority: bool) -> Iterator[Problem]:
    internal = name.startswith(":") or name.lower() == "host"
    if not name:
        yield spot.problem("MW0309", "a header needs a name", "give it one")
    elif internal and not (authority and name.lower() in (":authority", "host")):
        yield spot.problem(
            "MW0309", f"header {name!r} cannot be changed here", "use rewrite.authority for the host"
        )
