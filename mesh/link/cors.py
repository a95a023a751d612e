"""CORS policies: what istiod refuses. Source: istio validation.go, validateCORSPolicy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link import headers
from mesh.link.matching import string
from mesh.link.spot import Spot
from mesh.resources.istio.virtualservice import CorsPolicy
from mesh.resources.problem import Problem

_METHODS: Final = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "*")


def invalid(at: Spot, cors: CorsPolicy | None) -> Iterator[Problem]:
    """What istiod refuses."""
    if cors is None:
        return
    for i, origin in enumerate(cors.allow_origins):
        if not (origin.exact or origin.prefix or origin.regex):
            text, fix = "this origin matches nothing", "give exact, prefix or regex"
            yield (at / "allowOrigins" / i).problem("MW0302", text, fix)
        else:
            yield from string(at / "allowOrigins" / i, origin, empty_prefix=True)
    for i, method in enumerate(cors.allow_methods):
        if method not in _METHODS:
            fix = f"use one of: {', '.join(_METHODS)}"
            yield (at / "allowMethods" / i).problem("MW0308", f"{method!r} is not an HTTP method", fix)
    for field, names in (("allowHeaders", cors.allow_headers), ("exposeHeaders", cors.expose_headers)):
        for i, name in enumerate(names):
            yield from headers.named(at / field / i, name)
    if cors.max_age is not None and cors.max_age.microseconds:
        yield (at / "maxAge").problem("MW0304", "maxAge counts whole seconds", "round it")
