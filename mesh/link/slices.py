"""EndpointSlices of Services that select no pods: addresses that somebody else looks after.

Those of other Services follow from their pods, as Kubernetes derives them, and are not read. Source: istiod's endpointslice.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mesh.link.hosts import is_address
from mesh.model.service import NAMELESS, Endpoint, Port
from mesh.resources.object import Object

_SERVICE: Final = "kubernetes.io/service-name"


def by_service(objects: Iterable[Object[Any]]) -> Mapping[tuple[str, str], list[Object[Any]]]:
    """Every slice, by the namespace and name of its Service."""
    found: dict[tuple[str, str], list[Object[Any]]] = {}
    for each in objects:
        if each.kind == "EndpointSlice":
            name = each.metadata.labels.get(_SERVICE, "")
            found.setdefault((each.metadata.namespace, name), []).append(each)
    return found


def endpoints(slices: Iterable[Object[Any]], ports: Iterable[Port]) -> Iterator[Endpoint]:
    """Those that are ready, for the Service's ports by their names."""
    listed = [each.raw for each in slices]
    for port in ports:
        for each in listed:
            number = _number(each, port)
            for address in _ready(each) if number else ():
                yield Endpoint(address, number, port.name, tls=False, entry=NAMELESS)


def _number(given: Mapping[str, Any], port: Port) -> int:
    named = (each for each in _mappings(given, "ports") if (each.get("name") or "") == port.name)
    found = next((each.get("port") for each in named), 0)
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _ready(given: Mapping[str, Any]) -> Iterator[str]:
    """The first address of each; a condition that is not given is taken for good."""
    for each in _mappings(given, "endpoints"):
        conditions, addresses = each.get("conditions"), each.get("addresses")
        ready = conditions.get("ready") if isinstance(conditions, dict) else None
        first = addresses[0] if isinstance(addresses, list) and addresses else ""
        if ready is not False and isinstance(first, str) and is_address(first):
            yield first


def _mappings(given: Mapping[str, Any], field: str) -> Iterator[Mapping[str, Any]]:
    listed = given.get(field)
    return (each for each in listed if isinstance(each, dict)) if isinstance(listed, list) else iter(())
