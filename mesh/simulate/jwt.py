"""The JWT filter: which claims a request is left with, or why it is refused.

Source: Envoy's jwt_authn filter (verifier.cc, authenticator.cc). A request's claims are those of a token that its issuer signed, that has not expired,
and that stands where the provider of that issuer looks for it: keys and clocks are left out.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import JwtAuthentication

from mesh.simulate.request import Request
from mesh.simulate.trace import Token

_UNKNOWN_ISSUER: Final = "Jwt issuer is not configured"
_AUDIENCE: Final = "Audiences in Jwt are not allowed"


@dataclass(frozen=True)
class Verified:
    """``request`` as the filters behind see it. ``token`` is None where no filter looks at it. ``reroutes``: the route is chosen again."""

    request: Request
    token: Token | None = None
    reroutes: bool = False


def verified(manager: Any, request: Request) -> Verified:
    """Without a filter nobody reads a token: it goes on as it came."""
    found = next((f for f in manager.http_filters if f.typed_config.Is(JwtAuthentication.DESCRIPTOR)), None)
    if found is None:
        return Verified(request)
    config = JwtAuthentication()
    found.typed_config.Unpack(config)
    plain = replace(request, headers=_cleared(config, request.headers))
    if request.claims is None:
        return Verified(plain)
    return _judged(config, plain, request.claims)


def _judged(config: Any, request: Request, claims: Mapping[str, Any]) -> Verified:
    """One provider that takes the token is enough; a refusal that says more than that the issuer is another's is told first."""
    issuer = str(claims.get("iss", ""))
    reason, status = _UNKNOWN_ISSUER, 401
    for name in sorted(config.providers):
        provider = config.providers[name]
        if provider.issuer and provider.issuer != issuer:
            continue
        if provider.audiences and not _audiences(claims) & {_audience(each) for each in provider.audiences}:
            reason, status = _AUDIENCE, 403
            continue
        return Verified(_told(provider, request, claims), Token(issuer, True), provider.clear_route_cache)
    return Verified(request, Token(issuer, False, reason, status))


def _audiences(claims: Mapping[str, Any]) -> set[str]:
    given = claims.get("aud", ())
    return {_audience(each) for each in ([given] if isinstance(given, str) else given)}


def _audience(given: str) -> str:
    """Without what does not matter: the scheme and a last slash."""
    return str(given).removeprefix("https://").removeprefix("http://").removesuffix("/")


def _cleared(config: Any, headers: Mapping[str, str]) -> dict[str, str]:
    """What a caller claims of itself in the headers that only the filter may set is taken out."""
    own = {each.forward_payload_header.lower() for each in config.providers.values()}
    own |= {each.header_name.lower() for p in config.providers.values() for each in p.claim_to_headers}
    return {name: value for name, value in headers.items() if name not in own}


def _told(provider: Any, request: Request, claims: Mapping[str, Any]) -> Request:
    """The request with what is known of its token, in metadata and in the headers that the provider names; the token itself goes on if it says so."""
    headers = dict(request.headers)
    if provider.forward_payload_header:
        headers[provider.forward_payload_header.lower()] = _encoded(claims)
    for each in provider.claim_to_headers:
        value = _claim(claims, each.claim_name)
        if value is not None:
            headers[each.header_name.lower()] = _text(value)
    spaced = provider.normalize_payload_in_metadata.space_delimited_claims
    listed = {name: claims[name].split() for name in spaced if isinstance(claims.get(name), str)}
    kept = claims if provider.forward else None
    return replace(request, headers=headers, claims=kept, verified={**claims, **listed})


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or one inside others by their names with dots between them."""
    value: Any = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else _encoded(value)


def _encoded(value: Any) -> str:
    written = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(written).rstrip(b"=").decode()
