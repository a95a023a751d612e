"""Objects -> (Mesh, Problems): the one entry of this package.

Input comes from files (`mesh check`, `mesh xds`) or from the store of a running mesh; the Mesh goes to compile, the Problems to whoever
asked. The Mesh holds what a cluster would: an object that istiod refuses is not in it (what then stands for a security policy,
``closed`` says), one that merely does not fit the others is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from mesh.link.memo import Memo
from mesh.link.names import Names
from mesh.link.orphans import orphans
from mesh.link.pods import Pods
from mesh.link.services import services
from mesh.model.mesh import Config, Mesh
from mesh.model.peer import PeerPolicies
from mesh.model.service import Workload
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.object import Object
from mesh.resources.problem import Problem, Severity

_DEFAULTS: Final = MeshConfig()
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


def link(
    objects: Sequence[Object[Any]], running: bool = False, memo: Memo | None = None
) -> tuple[Mesh, list[Problem]]:
    """Connect ``objects``. ``running`` says that Pods are real ones, so that Deployments are not expanded.

    Problems are ordered by place. The result depends on nothing but the objects; with a ``memo`` what was made of the same ones before is
    taken from it, and parts of the Mesh that have not changed are the very same.
    """
    memo = memo or Memo()
    sorted_out = _sort_out(objects, memo)
    settings = next((o.spec for o in reversed(objects) if o.kind == "MeshConfig"), _DEFAULTS)
    pods = workloads(
        sorted_out.by_kind["Pod"] if running else sorted_out.usable, settings.trust_domain, running, memo
    )
    mesh = _mesh(sorted_out, settings, pods, running, memo)
    names = _names(mesh, pods, memo)
    problems = [*sorted_out.problems, *conflicts(mesh, names.pods), *orphans(sorted_out.usable)]
    for each in sorted_out.usable:
        if each.kind in _CHECKS:
            problems += memo.once("misdirected", each, partial(_misdirected, each, names), (names,))
    memo.next_round()
    return mesh, sorted(set(problems))


def _misdirected(each: Object[Any], names: Names) -> list[Problem]:
    return list(_CHECKS[each.kind][1](each, names))


def _names(mesh: Mesh, pods: Sequence[Workload], memo: Memo) -> Names:
    """The same Names as long as nothing that it is made from changes."""
    root = mesh.config.root_namespace
    named = (mesh.services, mesh.destination_rules, mesh.gateways)

    def make() -> Names:
        return Names(*named, Pods(pods), PeerPolicies(mesh.peer_authentications, root), root, mesh.config)

    groups = (*named, mesh.peer_authentications, pods)
    return memo.once("names", mesh.config, make, [part for group in groups for part in group])


@dataclass(frozen=True)
class _SortedOut:
    """Objects that can be part of a mesh, by their kind, too, those that cannot, and why."""

    usable: Sequence[Object[Any]]
    unusable: Sequence[Object[Any]]
    problems: Sequence[Problem]
    by_kind: Mapping[str, Sequence[Object[Any]]]
    memo: Memo

    def configs(self, kind: str, spec: Callable[[Object[Any]], SpecT]) -> Iterator[Config[SpecT]]:
        for each in self.by_kind.get(kind, ()):
            yield self.memo.once("config", each, partial(_config, each, spec))


def _config(each: Object[Any], spec: Callable[[Object[Any]], SpecT]) -> Config[SpecT]:
    return config(each, spec(each))


@dataclass(frozen=True)
class _Alone:
    """What can be said of an object without any other. Two with one ``key`` are one object."""

    key: tuple[str, str, str, str]
    problems: Sequence[Problem]
    usable: bool


def _alone(each: Object[Any]) -> _Alone:
    checked = each.kind in _CHECKS and not _raw(each)
    found = [*objectnames.invalid(each), *_CHECKS[each.kind][0](each)] if checked else []
    wrong = any(problem.severity is Severity.ERROR for problem in found)
    return _Alone((each.api_version.rpartition("/")[0], *each.key), found, not (each.broken or wrong))


def _sort_out(objects: Iterable[Object[Any]], memo: Memo) -> _SortedOut:
    usable: list[Object[Any]] = []
    unusable: list[Object[Any]] = []
    problems: list[Problem] = []
    by_kind: dict[str, list[Object[Any]]] = defaultdict(list)
    first: dict[tuple[str, str, str, str], Object[Any]] = {}
    for each in objects:
        alone = memo.once("alone", each, partial(_alone, each))
        problems += alone.problems
        before = first.setdefault(alone.key, each)
        again = before is not each and each.kind != "MeshConfig"
        if again:
            problems.append(_again(each, before))
        if alone.usable and not again:
            usable.append(each)
            by_kind[each.kind].append(each)
        else:
            unusable.append(each)
    return _SortedOut(usable, unusable, problems, by_kind, memo)


def _raw(each: Object[Any]) -> bool:
    """An object of a kind that only has the same name as one of ours, as a Service of serving.knative.dev."""
    return not each.spec.__dataclass_fields__


def _again(each: Object[Any], before: Object[Any]) -> Problem:
    name = f"{each.kind} {each.metadata.namespace}/{each.metadata.name}"
    text = f"{name} is given twice; the first is at {before.place()}"
    return each.problem(("metadata", "name"), "MW0203", text, "rename or remove one")


def _mesh(
    found: _SortedOut, settings: MeshConfig, pods: Sequence[Workload], running: bool, memo: Memo
) -> Mesh:
    policies = (*found.configs("AuthorizationPolicy", _spec), *denials(found.unusable))
    routes = _ordered(found.configs("VirtualService", qualify.virtual_service))
    peers = (*found.configs("PeerAuthentication", _spec), *strict(found.unusable))
    return Mesh(
        services=services(found.usable, Pods(pods), running, settings.trust_domain, memo),
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
