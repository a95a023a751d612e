"""VirtualServices -> the shares of a service's calls that each workload should get. Used by topology.

Of the routes of a host the one that takes most calls decides: the first that has several weighted places, else there is no split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.dash.inventory import Inventory

Object = dict[str, Any]
_DOMAIN: Final = ".svc.cluster.local"


def splits(inventory: Inventory) -> dict[str, Mapping[str, float]]:
    """Service, ``namespace/name`` -> workload -> share."""
    subsets = _subsets(inventory)
    found: dict[str, Mapping[str, float]] = {}
    for each in inventory.by_kind.get("VirtualService", ()):
        namespace = each["metadata"]["namespace"]
        for http in (each.get("spec") or {}).get("http") or ():
            shares = dict(_shares(http, namespace, inventory, subsets))
            if len(http.get("route") or ()) > 1 and shares:
                for host in _hosts(each, namespace):
                    found.setdefault(host, shares)
    return found


def _shares(
    http: Object, namespace: str, inventory: Inventory, subsets: Mapping[tuple[str, str], Mapping[str, str]]
) -> Iterator[tuple[str, float]]:
    routes = http.get("route") or ()
    total = sum(each.get("weight", 0) for each in routes)
    shares: dict[str, float] = {}
    for each in routes if total else ():
        destination = each.get("destination") or {}
        host = qualified(str(destination.get("host", "")), namespace)
        wanted = subsets.get((host, str(destination.get("subset", ""))), {})
        behind = [
            id_
            for id_ in inventory.behind.get(host, ())
            if wanted.items() <= dict(inventory.workloads[id_].labels).items()
        ]
        pods = sum(len(inventory.workloads[id_].pods) for id_ in behind)
        for id_ in behind:
            part = len(inventory.workloads[id_].pods) / pods
            shares[id_] = shares.get(id_, 0.0) + each.get("weight", 0) / total * part
    yield from shares.items()


def _subsets(inventory: Inventory) -> dict[tuple[str, str], Mapping[str, str]]:
    """Labels by (service, subset)."""
    return {
        (qualified(str(spec.get("host", "")), each["metadata"]["namespace"]), subset["name"]): subset.get(
            "labels"
        )
        or {}
        for each in inventory.by_kind.get("DestinationRule", ())
        if (spec := each.get("spec"))
        for subset in spec.get("subsets") or ()
    }


def _hosts(virtual_service: Object, namespace: str) -> Iterator[str]:
    """Services of the mesh among its hosts; what only a gateway knows is none."""
    for host in virtual_service["spec"].get("hosts") or ():
        yield qualified(str(host), namespace)


def qualified(host: str, namespace: str) -> str:
    """``namespace/name`` of a Service as a resource of that namespace writes it; other hosts as they are."""
    short = host.removesuffix(_DOMAIN)
    name, dot, rest = short.partition(".")
    if not dot:
        return f"{namespace}/{name}"
    return f"{rest}/{name}" if "." not in rest else host
