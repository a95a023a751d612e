"""Cross-origin requests. Source: istiod's TranslateCORSPolicy."""

from __future__ import annotations

from typing import Any

from envoy.extensions.filters.http.cors.v3.cors_pb2 import CorsPolicy as EnvoyCorsPolicy
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from mesh.compile.match import string_match
from mesh.compile.percent import hundredths
from mesh.resources.istio.virtualservice import CorsPolicy


def cors(given: CorsPolicy) -> EnvoyCorsPolicy:
    said: dict[str, Any] = {}
    if given.max_age is not None:
        said["max_age"] = str(int(given.max_age.total_seconds()))
    if given.allow_credentials is not None:
        said["allow_credentials"] = {"value": given.allow_credentials}
    origins = [match for each in given.allow_origins if (match := string_match(each)) is not None]
    origins = origins or [StringMatcher(exact=each) for each in given.allow_origin]
    return EnvoyCorsPolicy(
        allow_origin_string_match=origins,
        allow_methods=",".join(given.allow_methods),
        allow_headers=",".join(given.allow_headers),
        expose_headers=",".join(given.expose_headers),
        filter_enabled={"default_value": hundredths(100)},
        forward_not_matching_preflights={"value": given.unmatched_preflights != "IGNORE"},
        **said,
    )
