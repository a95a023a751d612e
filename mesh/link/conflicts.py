"""Objects that are right each by itself and contradict one another, where Istio takes the oldest and says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh.link.codes import SEVERITY
from mesh.link.hosts import MESH_GATEWAY
from mesh.model.mesh import Config, Mesh
from mesh.resources.problem import Problem


def conflicts(mesh: Mesh) -> Iterator[Problem]:
    """VirtualServices of one host, DestinationRules that define a subset twice, PeerAuthentications and Sidecars for the same pods."""
    yield from _routes(mesh)
    yield from _subsets(mesh)
    yield from _wide("PeerAuthentication", [c for c in mesh.peer_authentications if c.spec.selector is None])
    yield from _wide("Sidecar", [c for c in mesh.sidecars if c.spec.workload_selector is None])


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


def _subsets(mesh: Mesh) -> Iterator[Problem]:
    first: dict[tuple[str, str], Config[Any]] = {}
    for each in mesh.destination_rules:
        for i, subset in enumerate(each.spec.subsets):
            before = first.setdefault((each.spec.host, subset.name), each)
            if before is not each:
                text = f"DestinationRule {before.namespace}/{before.name} already defines subset {subset.name} of {each.spec.host}"
                yield _problem(
                    each,
                    ("spec", "subsets", i, "name"),
                    text,
                    "keep the rules of a host in one DestinationRule",
                )


def _wide(kind: str, configs: list[Config[Any]]) -> Iterator[Problem]:
    first: dict[str, Config[Any]] = {}
    for each in configs:
        before = first.setdefault(each.namespace, each)
        if before is not each:
            text = f"{kind} {before.name} already holds for all of namespace {each.namespace}; only the older one counts"
            yield _problem(each, ("metadata", "name"), text, "keep one, or give this one a selector")


def _problem(each: Config[Any], path: tuple[str | int, ...], text: str, fix: str) -> Problem:
    return Problem(each.line(*path), "MW0207", SEVERITY["MW0207"], text, fix)
