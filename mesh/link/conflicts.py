"""Objects that are right each by itself and contradict one another, where Istio takes the oldest and says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mesh.link import selectors
from mesh.link.codes import SEVERITY
from mesh.link.hosts import MESH_GATEWAY
from mesh.link.pods import Pods
from mesh.model.mesh import Config, Mesh
from mesh.resources.istio.network import SidecarSpec
from mesh.resources.problem import Problem
from mesh.resources.tree import Path


def conflicts(mesh: Mesh, pods: Pods) -> Iterator[Problem]:
    """VirtualServices and DestinationRules of one host, PeerAuthentications and Sidecars for the same pods."""
    yield from _routes(mesh)
    yield from _rules(mesh)
    yield from _servers(mesh)
    single: tuple[tuple[str, Sequence[Config[Any]]], ...] = (
        ("PeerAuthentication", mesh.peer_authentications),
        ("Sidecar", mesh.sidecars),
        ("Telemetry", [each for each in mesh.telemetries if not each.spec.target_refs]),
    )
    for kind, configs in single:
        yield from _wide(kind, [c for c in configs if not _wanted(c)])
        own = [c for c in configs if _wanted(c) and c.namespace != mesh.config.root_namespace]
        yield from _selecting(kind, own, pods)


def _routes(mesh: Mesh) -> Iterator[Problem]:
    first: dict[tuple[str, tuple[str, ...]], Config[Any]] = {}
    for each in mesh.virtual_services:
        for i, host in enumerate(each.spec.hosts):
            if MESH_GATEWAY not in each.spec.gateways:
                continue
            exports = each.spec.export_to or ("*",)
            before = first.setdefault((host, exports), each)
            if before is not each:
                text = f"{host} already has VirtualService {before.namespace}/{before.name}, the older; this one does nothing for it"
                yield _problem(each, ("spec", "hosts", i), text, "put the routes into one VirtualService")


def _rules(mesh: Mesh) -> Iterator[Problem]:
    """istiod merges the rules that a namespace has for a host: of a subset, and of the traffic policy, it takes the first."""
    first: dict[tuple[str, str, str], Config[Any]] = {}
    for each in mesh.destination_rules:
        if each.spec.workload_selector is not None:
            continue
        said: dict[Path, str] = {("trafficPolicy",): "the traffic policy"} if each.spec.traffic_policy else {}
        said |= {("subsets", i, "name"): f"subset {s.name}" for i, s in enumerate(each.spec.subsets)}
        for path, what in said.items():
            before = first.setdefault((each.namespace, each.spec.host, what), each)
            if before is not each:
                text = f"DestinationRule {before.namespace}/{before.name} already has {what} of {each.spec.host}; only that one counts"
                fix = "keep the rules of a host in one DestinationRule"
                yield _problem(each, ("spec", *path), text, fix)


def _servers(mesh: Mesh) -> Iterator[Problem]:
    """Gateways of the same pods whose servers take the same host on one port: requests meet the older's."""
    first: dict[tuple[object, ...], Config[Any]] = {}
    for each in mesh.gateways:
        selector = tuple(sorted(each.spec.selector.items()))
        for i, server in enumerate(each.spec.servers):
            for j, host in enumerate(server.hosts):
                number = server.port.number if server.port else 0
                before = first.setdefault((selector, number, server.bind, host), each)
                if before is not each:
                    text = f"Gateway {before.namespace}/{before.name} of the same pods already takes {host} on port {number}"
                    fix = "put the servers into one Gateway, or let them differ in host or port"
                    yield _problem(each, ("spec", "servers", i, "hosts", j), text, fix)


def _wanted(each: Config[Any]) -> Mapping[str, str]:
    """The labels that a PeerAuthentication or a Sidecar selects by; none for all of its namespace."""
    spec = each.spec
    selector = spec.workload_selector if isinstance(spec, SidecarSpec) else spec.selector
    return selectors.labels(selector) if selector else {}


def _selecting(kind: str, configs: Iterable[Config[Any]], pods: Pods) -> Iterator[Problem]:
    first: dict[tuple[str, str], Config[Any]] = {}
    for each in configs:
        taken = [(first.setdefault(w.key, each), w) for w in pods.selected(each.namespace, _wanted(each))]
        before, pod = next(((b, w) for b, w in taken if b is not each), (None, None))
        if before and pod:
            text = f"{kind} {before.name} already selects pod {pod.name}; for it, only the older one counts"
            field = "workloadSelector" if kind == "Sidecar" else "selector"
            yield _problem(each, ("spec", field), text, "let each pod be selected by one")


def _wide(kind: str, configs: list[Config[Any]]) -> Iterator[Problem]:
    first: dict[str, Config[Any]] = {}
    for each in configs:
        before = first.setdefault(each.namespace, each)
        if before is not each:
            text = f"{kind} {before.name} already holds for all of namespace {each.namespace}; only the older one counts"
            yield _problem(each, ("metadata", "name"), text, "keep one, or give this one a selector")


def _problem(each: Config[Any], path: Path, text: str, fix: str) -> Problem:
    return Problem(each.line(*path), "MW0207", SEVERITY["MW0207"], text, fix)
