"""Objects -> (Mesh, Problems): the one entry of this package.

Input comes from files (`mesh check`, `mesh xds`) or from the store of a running mesh; the Mesh goes to compile, the Problems to whoever
asked. The Mesh holds what a cluster would: an object that istiod refuses is not in it (what then stands for a security policy,
``closed`` says), one that merely does not fit the others is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from mesh.link import (
    authorization,
    destinationrules,
    envoyfilters,
    gateways,
    kubernetesobjects,
    objectnames,
    peerauthentication,
    qualify,
    requestauthentication,
    serviceentries,
    sidecars,
    telemetries,
    virtualservices,
)
from mesh.link.closed import config, denials, strict
from mesh.link.conflicts import conflicts
from mesh.link.delegates import merged
from mesh.link.expand import workloads
from mesh.link.names import Names
from mesh.link.orphans import orphans
from mesh.link.pods import Pods
from mesh.link.services import services
from mesh.model.mesh import Config, Mesh
from mesh.model.peer import PeerPolicies
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.object import Object
from mesh.resources.problem import Problem, Severity

SpecT = TypeVar("SpecT")
#: Later than any creationTimestamp.
NOW: Final = "9999"
_Invalid = Callable[[Object[Any]], Iterator[Problem]]
_Misdirected = Callable[[Object[Any], Names], Iterator[Problem]]


def _fits(each: Object[Any], names: Names) -> Iterator[Problem]:
    yield from ()


#: Kind -> (what is wrong with an object by itself, what is wrong with it among the others).
_CHECKS: Final[dict[str, tuple[_Invalid, _Misdirected]]] = {
    "VirtualService": (virtualservices.invalid, virtualservices.misdirected),
    "DestinationRule": (destinationrules.invalid, destinationrules.misdirected),
    "Gateway": (gateways.invalid, gateways.misdirected),
    "Sidecar": (sidecars.invalid, sidecars.misdirected),
    "AuthorizationPolicy": (authorization.invalid, authorization.misdirected),
    "PeerAuthentication": (peerauthentication.invalid, peerauthentication.misdirected),
    "RequestAuthentication": (requestauthentication.invalid, requestauthentication.misdirected),
    "EnvoyFilter": (envoyfilters.invalid, envoyfilters.misdirected),
    "Telemetry": (telemetries.invalid, telemetries.misdirected),
    "ServiceEntry": (serviceentries.invalid, serviceentries.misdirected),
    "WorkloadEntry": (serviceentries.invalid_workload, _fits),
    "Service": (kubernetesobjects.invalid_service, kubernetesobjects.misdirected_service),
    "Deployment": (kubernetesobjects.invalid_deployment, _fits),
    "Pod": (kubernetesobjects.invalid_pod, _fits),
}


def link(objects: Sequence[Object[Any]], running: bool = False) -> tuple[Mesh, list[Problem]]:
    """Connect ``objects``. ``running`` says that Pods are real ones, so that Deployments are not expanded.

    Problems are ordered by place. The function is pure and the result depends on nothing but the objects.
    """
    sorted_out = _sort_out(objects)
    settings = next((o.spec for o in reversed(objects) if o.kind == "MeshConfig"), MeshConfig())
    pods = workloads(sorted_out.usable, settings.trust_domain, running)
    mesh = _mesh(sorted_out, settings, pods, running)
    root = settings.root_namespace
    peers = PeerPolicies(mesh.peer_authentications, root)
    names = Names(mesh.services, mesh.destination_rules, mesh.gateways, Pods(pods), peers, root, settings)
    problems = [*sorted_out.problems, *conflicts(mesh, names.pods), *orphans(sorted_out.usable)]
    for each in sorted_out.usable:
        problems.extend(_CHECKS[each.kind][1](each, names) if each.kind in _CHECKS else ())
    return mesh, sorted(set(problems))


@dataclass(frozen=True)
class _SortedOut:
    """Objects that can be part of a mesh, those that cannot, and why."""

    usable: Sequence[Object[Any]]
    unusable: Sequence[Object[Any]]
    problems: Sequence[Problem]

    def configs(self, kind: str, spec: Callable[[Object[Any]], SpecT]) -> Iterator[Config[SpecT]]:
        return (config(each, spec(each)) for each in self.usable if each.kind == kind)


def _sort_out(objects: Iterable[Object[Any]]) -> _SortedOut:
    usable: list[Object[Any]] = []
    unusable: list[Object[Any]] = []
    problems: list[Problem] = []
    first: dict[tuple[str, str, str, str], Object[Any]] = {}
    for each in objects:
        checked = each.kind in _CHECKS and not _raw(each)
        found = [*objectnames.invalid(each), *_CHECKS[each.kind][0](each)] if checked else []
        key = (each.api_version.rpartition("/")[0], *each.key)
        before = first.setdefault(key, each)
        if before is not each and each.kind != "MeshConfig":
            found.append(_again(each, before))
        problems += found
        wrong = any(problem.severity is Severity.ERROR for problem in found)
        (unusable if each.broken or wrong else usable).append(each)
    return _SortedOut(usable, unusable, problems)


def _raw(each: Object[Any]) -> bool:
    """An object of a kind that only has the same name as one of ours, as a Service of serving.knative.dev."""
    return not each.spec.__dataclass_fields__


def _again(each: Object[Any], before: Object[Any]) -> Problem:
    name = f"{each.kind} {each.metadata.namespace}/{each.metadata.name}"
    text = f"{name} is given twice; the first is at {before.place()}"
    return each.problem(("metadata", "name"), "MW0203", text, "rename or remove one")


def _mesh(found: _SortedOut, settings: MeshConfig, pods: Sequence[Any], running: bool) -> Mesh:
    policies = (*found.configs("AuthorizationPolicy", _spec), *denials(found.unusable))
    routes = _ordered(found.configs("VirtualService", qualify.virtual_service))
    peers = (*found.configs("PeerAuthentication", _spec), *strict(found.unusable))
    return Mesh(
        services=services(found.usable, Pods(pods), running, settings.trust_domain),
        workloads=tuple(pods),
        virtual_services=tuple(merged(routes, settings.default_virtual_service_export_to)),
        destination_rules=_ordered(found.configs("DestinationRule", qualify.destination_rule)),
        gateways=_ordered(found.configs("Gateway", _spec)),
        sidecars=_ordered(found.configs("Sidecar", _spec)),
        peer_authentications=_ordered(peers),
        authorization_policies=_ordered(policies),
        request_authentications=_ordered(found.configs("RequestAuthentication", _spec)),
        telemetries=_ordered(found.configs("Telemetry", _spec)),
        envoy_filters=_ordered(found.configs("EnvoyFilter", _spec)),
        config=settings,
    )


def _spec(each: Object[Any]) -> Any:
    return each.spec


def _ordered(configs: Iterable[Config[SpecT]]) -> tuple[Config[SpecT], ...]:
    """istiod's order: by creation, then by name and namespace. What was not created on a cluster is created now."""
    return tuple(sorted(configs, key=lambda c: (c.creation or NOW, c.name, c.namespace)))
