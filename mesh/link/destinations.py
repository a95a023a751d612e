"""Where the routes of a VirtualService send requests: services, subsets and ports that do not exist, and shares that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.hosts import MESH_GATEWAY
from mesh.link.names import Names, told
from mesh.link.spot import Spot
from mesh.model.service import Service
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import HTTPRoute, VirtualServiceSpec
from mesh.resources.problem import Problem

_ALL: Final = 100


def misdirected(at: Spot, given: VirtualServiceSpec, names: Names) -> Iterator[Problem]:
    """Of the HTTP routes at ``at``, whose hosts and gateways are qualified."""
    called = _called(given, names)
    for i, route in enumerate(given.http):
        matched = frozenset(match.port for match in route.match) - {0}
        ports = matched if len(matched) == len(route.match) and matched else called
        yield from _weights(at / i / "route", route)
        for j, target in enumerate(route.route):
            yield from _destination(at / i / "route" / j / "destination", target.destination, ports, names)
        if route.mirror:
            yield from _destination(at / i / "mirror", route.mirror, ports, names)


def _called(given: VirtualServiceSpec, names: Names) -> frozenset[int]:
    """The ports on which requests for the hosts come: the services' own, or the gateways'."""
    services = (names.hosts[host] for host in given.hosts if host in names.hosts)
    inside = (port.number for service in services for port in service.ports)
    gateways = (g for g in names.gateways if f"{g.namespace}/{g.name}" in given.gateways)
    outside = (server.port.number for gateway in gateways for server in gateway.spec.servers)
    return frozenset((*(inside if MESH_GATEWAY in given.gateways else ()), *outside))


def _weights(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    """Stricter than Istio, which takes weights in proportion: 30 and 30 is an edit that was left half done."""
    weights = [target.weight for target in route.route]
    total = sum(weights)
    if len(weights) < 2 or total in (0, _ALL):
        return
    first = next(i for i, weight in enumerate(weights) if weight)
    real = ", ".join(f"{_ALL * weight / total:.3g} %" for weight in weights)
    text = f"the weights add up to {total}: {' + '.join(map(str, weights))}"
    fix = f"make them add up to {_ALL}; Istio would send {real}"
    yield (at / first / "weight").problem("MW0301", text, fix)


def _destination(at: Spot, to: Destination, called: frozenset[int], names: Names) -> Iterator[Problem]:
    service = names.hosts.get(to.host)
    if service is None:
        text = f"destination {to.host or '(no host)'} is not a service of the mesh"
        yield (at / "host").problem("MW0201", text, names.closest_host(to.host))
        return
    subsets = names.subsets(to.host)
    if to.subset and to.subset not in subsets:
        text = f"no DestinationRule defines subset {to.subset!r} of {to.host}"
        yield (at / "subset").problem("MW0202", text, f"define it there; {told(subsets, 'it has')}")
    yield from _port(at, to, service, called)


def _port(at: Spot, to: Destination, service: Service, called: frozenset[int]) -> Iterator[Problem]:
    """Without a port a request goes to the destination's only one, else to that of the number that was called."""
    ports = [port.number for port in service.ports]
    listed = ", ".join(map(str, ports)) or "none"
    if to.port and to.port.number not in ports:
        text = f"{to.host} has no port {to.port.number}"
        yield (at / "port" / "number").problem("MW0205", text, f"it has: {listed}")
    elif not to.port and len(ports) != 1 and called and not called.intersection(ports):
        wanted = ", ".join(map(str, sorted(called)))
        text = f"requests come on port {wanted}, which {to.host} does not have"
        yield (at / "host").problem("MW0205", text, f"name one of its ports with destination.port: {listed}")
