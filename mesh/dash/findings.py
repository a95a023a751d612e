"""What `mesh check` would say of the running objects, and which nodes of the graph it is about. Used by topology and change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, Final

from mesh.dash.graph import Finding
from mesh.dash.inventory import Inventory
from mesh.dash.splits import qualified
from mesh.envoy.patching import linked
from mesh.resources.object import Object as Typed
from mesh.resources.object import from_json
from mesh.resources.problem import Problem

Object = dict[str, Any]

#: What else there is on a cluster is no business of the mesh's.
_READ: Final = frozenset({"Service", "Pod", "Namespace"})


def origin(obj: Object) -> str:
    """How a Problem names an object that came over the API."""
    return f"{obj['kind']} {obj['metadata'].get('namespace', '')}/{obj['metadata'].get('name', '')}"


def typed(objects: Sequence[Object]) -> tuple[list[Typed[Any]], list[Problem]]:
    """As link reads them."""
    found: list[Typed[Any]] = []
    problems: list[Problem] = []
    for each in objects:
        if each["kind"] in _READ or "istio.io/" in each["apiVersion"]:
            made, wrong = from_json(each, origin(each))
            found += [made] if made is not None else []
            problems += wrong
    return found, problems


def findings(objects: Sequence[Object], inventory: Inventory) -> list[Finding]:
    """Of all objects together, in order of place; Services and Pods that are no part of the mesh, as a cluster has its own, are passed over."""
    read, problems = typed(objects)
    by_origin = {origin(each): each for each in objects}
    told = sorted({*problems, *linked(read, running=True)[1]})
    found = [finding(each, about(by_origin.get(each.place.file), inventory)) for each in told]
    spaces = {each.namespace for each in inventory.workloads.values()}
    return [each for each in found if each.nodes or not _foreign(each, spaces)]


def _foreign(found: Finding, spaces: Set[str]) -> bool:
    kind, _, name = found.object.partition(" ")
    return kind in ("Service", "Pod") and name.partition("/")[0] not in spaces


def finding(problem: Problem, nodes: Sequence[str] = ()) -> Finding:
    return Finding(
        problem.code,
        str(problem.severity),
        problem.message,
        problem.fix,
        problem.place.file,
        problem.place.path,
        tuple(nodes),
    )


def about(obj: Object | None, inventory: Inventory) -> tuple[str, ...]:
    """The workloads that an object is about: those behind the hosts that it names, or those that it selects."""
    return tuple(dict.fromkeys(_about(obj, inventory))) if obj else ()


def _about(obj: Object, inventory: Inventory) -> Iterator[str]:
    namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
    spec: Mapping[str, Any] = obj.get("spec") or {}
    if obj["kind"] == "Pod":
        yield from (id_ for id_ in [inventory.by_pod.get(f"{namespace}/{name}")] if id_)
    elif obj["kind"] == "Service":
        yield from inventory.behind.get(f"{namespace}/{name}", ())
    elif obj["kind"] in ("VirtualService", "DestinationRule"):
        for host in spec.get("hosts") or [spec.get("host", "")]:
            yield from inventory.behind.get(qualified(str(host), namespace), ())
    else:
        selector = spec.get("selector") or (spec.get("workloadSelector") or {}).get("labels") or {}
        wanted = selector.get("matchLabels", selector)
        for each in inventory.workloads.values():
            if wanted and each.namespace == namespace and wanted.items() <= dict(each.labels).items():
                yield each.id
