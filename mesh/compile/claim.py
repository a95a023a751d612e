"""Routing by a claim of a validated token: a header match named ``@request.auth.claims.NAME``.

Source: pkg/jwt ToRoutingClaim and istiod's translateMetadataMatch.
"""

from __future__ import annotations

import re
from typing import Final

from envoy.type.matcher.v3.metadata_pb2 import MetadataMatcher
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from envoy.type.matcher.v3.value_pb2 import ValueMatcher

from mesh.envoy.filters import JWT

_PREFIX: Final = "@request.auth.claims"


def claim_path(header: str) -> list[str]:
    """The claim's path, ``.a.b`` or ``[a][b]``; empty when this is an ordinary header."""
    if not header.lower().startswith(_PREFIX):
        return []
    name = header[len(_PREFIX) :]
    if name.startswith("[") and name.endswith("]"):
        return re.split(r"\]\[", name[1:-1])
    return name[1:].split(".") if len(name) > 1 and name.startswith(".") else []


def jwt_claim(path: list[str], match: StringMatcher, invert: bool) -> MetadataMatcher:
    """The claim is the value, or its list holds it."""
    value = ValueMatcher(string_match=match)
    listed = ValueMatcher(list_match={"one_of": value})
    return MetadataMatcher(
        filter=JWT,
        path=[{"key": "payload"}, *({"key": key} for key in path)],
        value={"or_match": {"value_matchers": [listed, value]}},
        invert=invert,
    )
