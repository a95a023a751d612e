"""From the names that Istio leaves in Envoy's resources to the objects and lines that they were made from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mesh.compile.attached import attached
from mesh.compile.match import route_match
from mesh.compile.scope import Scopes
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Workload
from mesh.resources.istio.security import Action
from mesh.simulate.trace import Route

_RULE: Final = re.compile(
    r"(?:istio-ext-authz-.*?)?ns\[(.+)\]-policy\[(.+)\]-rule\[(\d+)\](?:-deny-due-to-bad-CUSTOM-action)?"
)
_CONFIG: Final = re.compile(r"/apis/[^/]+/[^/]+/namespaces/([^/]+)/([^/]+)/([^/]+)")
_KINDS: Final = {
    "virtual-service": ("VirtualService", "virtual_services"),
    "destination-rule": ("DestinationRule", "destination_rules"),
    "sidecar": ("Sidecar", "sidecars"),
    "gateway": ("Gateway", "gateways"),
}


@dataclass(frozen=True)
class Source:
    """An Istio resource, or a part of it, and where it was written; ``at`` is empty when that is not known."""

    what: str
    at: str = ""


def rule(mesh: Mesh, name: str) -> Source:
    """Of an RBAC policy, by the name that istiod gives it."""
    found = _RULE.fullmatch(name)
    if not found:
        return Source(name)
    namespace, policy, index = found[1], found[2], int(found[3])
    what = f"AuthorizationPolicy {namespace}/{policy}"
    config = _named(mesh.authorization_policies, namespace, policy)
    if config is None or not config.spec.rules:
        return Source(what, _at(config))
    return Source(f"{what} rule {index}", _at(config, "spec", "rules", index))


def token(mesh: Mesh, workload: Workload, issuer: str) -> Source | None:
    """The first rule for an issuer of the RequestAuthentications that hold for a workload."""
    for policy in mesh.request_authentications:
        if policy.namespace in (workload.namespace, mesh.config.root_namespace) and attached(
            policy, workload
        ):
            for i, rule in enumerate(policy.spec.jwt_rules):
                if rule.issuer in (issuer, ""):
                    what = f"RequestAuthentication {policy.namespace}/{policy.name}"
                    return Source(f"{what} rule {i}", _at(policy, "spec", "jwtRules", i))
    return None


def resource(mesh: Mesh, path: str) -> Source | None:
    """By a ``config`` path in metadata; None when there is none."""
    found = _CONFIG.fullmatch(path)
    if not found or found[2] not in _KINDS:
        return Source(path) if path else None
    kind, attribute = _KINDS[found[2]]
    config = _named(getattr(mesh, attribute), found[1], found[3])
    part = ("trafficPolicy",) if kind == "DestinationRule" else ()
    return Source(f"{kind} {found[1]}/{found[3]}", _at(config, "spec", *part))


def route(mesh: Mesh, taken: Route) -> Source | None:
    """The HTTP route of a VirtualService that became an Envoy route; None for one that Istio makes by itself."""
    found = _CONFIG.fullmatch(taken.config)
    source = resource(mesh, taken.config)
    config = _named(mesh.virtual_services, found[1], found[3]) if found else None
    if config is None or source is None:
        return source
    named = [i for i, http in enumerate(config.spec.http) if http.name and _is(http, taken.name)]
    alike = [i for i, http in enumerate(config.spec.http) if not http.name and _matches(http, taken.match)]
    index = next(iter(named or alike), None)
    if index is None:
        return source
    return _http(config, index)


def routes(mesh: Mesh) -> Iterator[Source]:
    """Every HTTP route of every VirtualService, named as ``route`` names them."""
    for config in mesh.virtual_services:
        yield from (_http(config, index) for index in range(len(config.spec.http)))


def rules(mesh: Mesh) -> Iterator[Source]:
    """Every rule of every AuthorizationPolicy that decides anything, named as ``rule`` names them."""
    for config in mesh.authorization_policies:
        if config.spec.action is Action.AUDIT:
            continue
        what = f"AuthorizationPolicy {config.namespace}/{config.name}"
        for index in range(len(config.spec.rules)):
            yield Source(f"{what} rule {index}", _at(config, "spec", "rules", index))


def _http(config: Config[Any], index: int) -> Source:
    name = config.spec.http[index].name or f"http[{index}]"
    what = f"VirtualService {config.namespace}/{config.name} {name}"
    return Source(what, _at(config, "spec", "http", index))


def sidecar(mesh: Mesh, workload: Workload) -> Source | None:
    """What decides which services a workload may reach; None when nothing does."""
    config = Scopes(mesh).of(workload).sidecar
    return (
        Source(f"Sidecar {config.namespace}/{config.name}", _at(config, "spec", "egress")) if config else None
    )


def _is(http: Any, name: str) -> bool:
    names = {http.name, *(f"{http.name}.{match.name}" for match in http.match if match.name)}
    return name in names


def _matches(http: Any, match: bytes) -> bool:
    made = (route_match(each).SerializeToString(deterministic=True) for each in http.match or (None,))
    return match in made


def _named(configs: Any, namespace: str, name: str) -> Config[Any] | None:
    return next((c for c in configs if (c.namespace, c.name) == (namespace, name)), None)


def _at(config: Config[Any] | None, *path: str | int) -> str:
    """Empty for an object that came over an API: it is named by what it is."""
    place = config.line(*path) if config else None
    return str(place) if place and place.line else ""
