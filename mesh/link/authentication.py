"""PeerAuthentications and RequestAuthentications: what istiod refuses, and selectors that find nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.link import selectors
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.resources.istio.requestauthentication import JWTRule, RequestAuthenticationSpec
from mesh.resources.istio.security import PeerAuthenticationSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid_peer(each: Object[PeerAuthenticationSpec]) -> Iterator[Problem]:
    """What istiod refuses. Source: istio validation.go, ValidatePeerAuthentication."""
    at, selector = spec(each), each.spec.selector
    yield from selectors.invalid(at / "selector", selector, "matchLabels")
    if each.spec.port_level_mtls and (selector is None or not selectors.labels(selector)):
        text = "portLevelMtls needs a selector: a port's number says nothing about a whole namespace"
        yield (at / "portLevelMtls").problem("MW0401", text, "say which workloads have this port")
    for port in each.spec.port_level_mtls:
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
            fix = "use the workload's own port number"
            yield (at / "portLevelMtls" / port).problem("MW0401", f"{port!r} is not a port", fix)


def invalid_request(each: Object[RequestAuthenticationSpec]) -> Iterator[Problem]:
    """What istiod refuses. Source: istio validation.go, ValidateRequestAuthentication."""
    at = spec(each)
    yield from selectors.invalid(at / "selector", each.spec.selector, "matchLabels")
    for i, rule in enumerate(each.spec.jwt_rules):
        yield from _jwt(at / "jwtRules" / i, rule)


def _jwt(at: Spot, rule: JWTRule) -> Iterator[Problem]:
    if not rule.issuer and not rule.jwks_uri:
        yield at.problem("MW0401", "nothing says whose tokens these are", "give issuer")
    if rule.jwks_uri and not rule.jwks_uri.startswith(("http://", "https://")):
        yield (at / "jwksUri").problem("MW0401", f"{rule.jwks_uri!r} is not a URL", "use https://")
    for i, header in enumerate(rule.from_headers):
        if not header.name:
            yield (at / "fromHeaders" / i).problem("MW0401", "this header has no name", "give name")


def misdirected_peer(each: Object[PeerAuthenticationSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing, a port that no Service sends calls to."""
    yield from misdirected(each, names)
    selector = each.spec.selector
    chosen = names.pods.selected(each.metadata.namespace, selectors.labels(selector)) if selector else []
    ports = {str(port) for workload in chosen for port in names.behind(workload)}
    for port in each.spec.port_level_mtls if chosen else ():
        if port not in ports:
            text = f"no Service sends calls to port {port} of these workloads"
            fix = f"it is the pod's port; they have: {', '.join(sorted(ports)) or 'none'}"
            yield (spec(each) / "portLevelMtls" / port).problem("MW0206", text, fix)


def misdirected(each: Object[Any], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing."""
    yield from selectors.idle(spec(each) / "selector", each.spec.selector, names)
