"""Objects -> (Mesh, Problems): the one entry of this package.

Input comes from files (`mesh check`, `mesh xds`) or from the store of a running mesh; the Mesh goes to compile, the Problems to whoever
asked. An object with an error is left out of the Mesh, except a security policy, which fails closed (see ``policies``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from mesh.link import destinationrules, policies, virtualservices
from mesh.link.expand import workloads
from mesh.link.names import Names
from mesh.link.services import services
from mesh.model.mesh import Config, Mesh
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.object import Object
from mesh.resources.problem import Problem

SpecT = TypeVar("SpecT")


def link(objects: Sequence[Object[Any]], running: bool = False) -> tuple[Mesh, list[Problem]]:
    """Connect ``objects``. ``running`` says that Pods are real ones, so that Deployments are not expanded.

    Problems are ordered by place. The function is pure and the result depends on nothing but the objects.
    """
    problems = list(_duplicates(objects))
    settings = next((o.spec for o in objects if o.kind == "MeshConfig"), MeshConfig())
    pods = workloads(objects, settings.trust_domain, running)
    found = services(objects, pods)
    rules = _configs(objects, "DestinationRule", destinationrules.qualify)
    gateways = _configs(objects, "Gateway", lambda o: o.spec)
    routes = _configs(objects, "VirtualService", virtualservices.qualify)
    names = Names(found, rules, gateways, pods, settings)
    for each in objects:
        problems.extend(_check(each, names))
    mesh = Mesh(
        services=found,
        workloads=pods,
        virtual_services=routes,
        destination_rules=rules,
        gateways=gateways,
        sidecars=_configs(objects, "Sidecar", lambda o: o.spec),
        peer_authentications=_configs(objects, "PeerAuthentication", lambda o: o.spec),
        authorization_policies=_configs(objects, "AuthorizationPolicy", lambda o: o.spec),
        request_authentications=_configs(objects, "RequestAuthentication", lambda o: o.spec),
        telemetries=_configs(objects, "Telemetry", lambda o: o.spec),
        envoy_filters=_configs(objects, "EnvoyFilter", lambda o: o.spec),
        config=settings,
    )
    return mesh, sorted(problems)


def _check(each: Object[Any], names: Names) -> Iterable[Problem]:
    checks: dict[str, Callable[[Object[Any], Names], Iterable[Problem]]] = {
        "VirtualService": virtualservices.check,
        "DestinationRule": destinationrules.check,
        "AuthorizationPolicy": policies.check_authorization,
        "PeerAuthentication": policies.check_peer,
        "Gateway": policies.check_gateway,
        "Sidecar": policies.check_sidecar,
    }
    return checks[each.kind](each, names) if each.kind in checks else ()


def _configs(
    objects: Iterable[Object[Any]], kind: str, spec: Callable[[Object[Any]], SpecT]
) -> tuple[Config[SpecT], ...]:
    """All of one kind, in istiod's order: by creation, then by name and namespace."""
    made = [
        Config(o.metadata.name, o.metadata.namespace, spec(o), o.metadata.creation_timestamp, o.place())
        for o in objects
        if o.kind == kind
    ]
    return tuple(sorted(made, key=lambda c: (c.creation, c.name, c.namespace)))


def _duplicates(objects: Iterable[Object[Any]]) -> Iterable[Problem]:
    seen: dict[tuple[str, str, str, str], Object[Any]] = {}
    for each in objects:
        key = (each.api_version.partition("/")[0], *each.key)
        if key in seen:
            text = f"{each.kind} {each.metadata.namespace}/{each.metadata.name} is given twice; the first is at {seen[key].place()}"
            yield each.problem(("metadata", "name"), "MW0203", text, "rename or remove one")
        seen.setdefault(key, each)
