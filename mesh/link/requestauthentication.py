"""RequestAuthentications: what istiod refuses, and policies that are for nobody.

Source: istio validation.go, ValidateRequestAuthentication, and the schema of its CRD.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from mesh.link import jwks, selectors, targetrefs
from mesh.link.headers import is_name
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.resources.istio.requestauthentication import JWTRule, RequestAuthenticationSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_LONGEST_URL = 2048


def invalid(each: Object[RequestAuthenticationSpec]) -> Iterator[Problem]:
    """What istiod refuses, and keys that should not be here."""
    at = spec(each)
    yield from selectors.invalid(at / "selector", each.spec.selector, "matchLabels")
    yield from targetrefs.invalid(at, each.spec)
    for i, rule in enumerate(each.spec.jwt_rules):
        yield from _issuer(at / "jwtRules" / i, rule)
        yield from _places(at / "jwtRules" / i, rule)
        yield from _told(at / "jwtRules" / i, rule)


def misdirected(each: Object[RequestAuthenticationSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing, targets that nothing is."""
    yield from selectors.idle(spec(each) / "selector", each.spec.selector, names)
    yield from targetrefs.idle(spec(each), each.spec, names)


def _issuer(at: Spot, rule: JWTRule) -> Iterator[Problem]:
    if not rule.issuer and not rule.keys_url:
        yield at.problem("MW0401", "nothing says whose tokens these are", "give issuer")
    for i, audience in enumerate(rule.audiences):
        if not audience:
            yield (at / "audiences" / i).problem("MW0401", "this audience is empty", "remove it")
    if sum(map(bool, (rule.jwks, rule.jwks_uri, rule.jwks_uri_))) > 1:
        yield at.problem("MW0401", "jwks and jwksUri cannot stand together", "use one of them")
    if rule.keys_url and (reason := _url_mistake(rule.keys_url)):
        name = "jwksUri" if rule.jwks_uri else "jwks_uri"
        yield (at / name).problem("MW0401", f"{rule.keys_url!r} {reason}", "as in https://issuer/keys")
    if rule.jwks:
        yield from jwks.invalid(at / "jwks", rule.jwks)


def _url_mistake(given: str) -> str:
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https"):
        return "is no URL of http or https"
    if not parts.hostname or port == 0 or len(given) > _LONGEST_URL:
        return "is not a URL that can be asked"
    return ""


def _places(at: Spot, rule: JWTRule) -> Iterator[Problem]:
    """Where tokens are looked for."""
    for i, header in enumerate(rule.from_headers):
        if not is_name(header.name):
            text = (
                f"{header.name!r} is not the name of a header" if header.name else "this header has no name"
            )
            yield (at / "fromHeaders" / i).problem("MW0401", text, "give name, as in x-token")
    for field, given in (("fromParams", rule.from_params), ("fromCookies", rule.from_cookies)):
        for i, name in enumerate(given):
            if not name:
                yield (at / field / i).problem("MW0401", "this name is empty", "remove it")


def _told(at: Spot, rule: JWTRule) -> Iterator[Problem]:
    """What the application is told of a token."""
    if rule.output_payload_to_header and not is_name(rule.output_payload_to_header):
        text = f"{rule.output_payload_to_header!r} is not the name of a header"
        yield (at / "outputPayloadToHeader").problem("MW0401", text, "as in x-payload")
    for i, each in enumerate(rule.output_claim_to_headers):
        here = at / "outputClaimToHeaders" / i
        if not each.claim or not each.header:
            yield here.problem("MW0401", "this needs a claim and a header", "give both")
        elif not is_name(each.header):
            text = f"{each.header!r} is not the name of a header"
            yield (here / "header").problem("MW0401", text, "as in x-user")
    for i, claim in enumerate(rule.space_delimited_claims):
        if not claim:
            yield (at / "spaceDelimitedClaims" / i).problem("MW0401", "this claim has no name", "remove it")
