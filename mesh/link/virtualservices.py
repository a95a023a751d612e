"""VirtualServices: every mistake that can be known before a request is sent.

``invalid`` is what istiod's own webhook refuses (istio pkg/config/validation/virtualservice.go); ``misdirected`` is what it lets pass
and a user finds out in production: names that do not exist, weights that were not meant, routes that no request reaches.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link import headers, httproutes, qualify, retries
from mesh.link.exports import exports
from mesh.link.hosts import MESH_GATEWAY, is_address, is_domain, is_label, matches
from mesh.link.names import Names, told
from mesh.link.spot import Spot, spec
from mesh.link.unreachable import unreachable
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import HTTPRoute, RouteDestination, VirtualServiceSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_ALL = 100


def invalid(each: Object[VirtualServiceSpec]) -> Iterator[Problem]:
    """What istiod refuses."""
    at, given = spec(each), each.spec
    if not given.hosts:
        yield (at / "hosts").problem("MW0306", "this VirtualService names no host", "give spec.hosts")
    if not (given.http or given.tls or given.tcp):
        yield at.problem("MW0302", "this VirtualService has no route", "give spec.http")
    yield from _hosts(at / "hosts", given)
    yield from _gateway_names(at / "gateways", given.gateways)
    yield from exports(at / "exportTo", given.export_to)
    for i, route in enumerate(given.http):
        yield from httproutes.invalid(at / "http" / i, route)
        if not _on_gateway(given):
            yield from _claims(at / "http" / i / "match", route)


def _hosts(at: Spot, given: VirtualServiceSpec) -> Iterator[Problem]:
    for i, host in enumerate(given.hosts):
        if not is_domain(host) and not is_address(host):
            yield (at / i).problem("MW0310", f"{host!r} is not a host name", "as in catalog or *.example.com")
        elif host == "*" and not _on_gateway(given):
            yield (at / i).problem("MW0310", "* would take over every service of the mesh", "name the hosts")
        for j in range(i):
            if matches(host, given.hosts[j]) or matches(given.hosts[j], host):
                text = f"{host!r} is already covered by {given.hosts[j]!r}"
                yield (at / i).problem("MW0203", text, "remove one of them")


def _on_gateway(given: VirtualServiceSpec) -> bool:
    """Whether it is for gateways only, where some things are allowed that are not inside the mesh."""
    return bool(given.gateways) and MESH_GATEWAY not in given.gateways


def _gateway_names(at: Spot, names: tuple[str, ...]) -> Iterator[Problem]:
    for i, name in enumerate(names):
        parts = name.split("/", 1) if "/" in name else name.split(".")
        if not all(part == "." or is_label(part) for part in parts[:1]) or not all(map(is_label, parts[1:])):
            yield (at / i).problem("MW0310", f"{name!r} is not a gateway", "as in front or shop/front")


def _claims(at: Spot, route: HTTPRoute) -> Iterator[Problem]:
    for i, match in enumerate(route.match):
        for field, names in (("headers", match.headers), ("withoutHeaders", match.without_headers)):
            for name in filter(headers.is_claim, names):
                text = "routing by claims works at gateways only"
                yield (at / i / field / name).problem("MW0302", text, "bind it to a Gateway")


def misdirected(each: Object[VirtualServiceSpec], names: Names) -> Iterator[Problem]:
    """What does not fit the rest of the mesh, or is not what anybody means."""
    at, given = spec(each), qualify.virtual_service(each)
    yield from _gateways(at / "gateways", given.gateways, names)
    if given.gateways == (MESH_GATEWAY,):
        yield from _unknown_hosts(at / "hosts", given, names)
    for i, route in enumerate(given.http):
        yield from _route(at / "http" / i, route, names)
    yield from unreachable(at / "http", given.http)


def _gateways(at: Spot, gateways: tuple[str, ...], names: Names) -> Iterator[Problem]:
    for i, gateway in enumerate(gateways):
        if gateway != MESH_GATEWAY and gateway not in names.gateway_names:
            text = f"there is no Gateway {gateway}"
            yield (at / i).problem("MW0204", text, told(names.gateway_names, "the mesh has"))


def _unknown_hosts(at: Spot, given: VirtualServiceSpec, names: Names) -> Iterator[Problem]:
    for i, host in enumerate(given.hosts):
        if is_domain(host) and not names.has_host(host):
            text = f"host {host} is not a service of the mesh, so that no request meets this VirtualService"
            yield (at / i).problem("MW0201", text, names.closest_host(host))


def _route(at: Spot, route: HTTPRoute, names: Names) -> Iterator[Problem]:
    yield from _weights(at / "route", route.route)
    for i, target in enumerate(route.route):
        yield from destination(at / "route" / i / "destination", target.destination, names)
    if route.mirror:
        yield from destination(at / "mirror", route.mirror, names)
    yield from retries.idle(at, route)
    for i, match in enumerate(route.match):
        yield from _gateways(at / "match" / i / "gateways", match.gateways, names)


def _weights(at: Spot, targets: tuple[RouteDestination, ...]) -> Iterator[Problem]:
    """Stricter than Istio, which takes weights in proportion: 30 and 30 is an edit that was left half done."""
    total = sum(target.weight for target in targets)
    if len(targets) < 2 or total == _ALL:
        return
    shares = " + ".join(str(target.weight) for target in targets)
    first = next((i for i, target in enumerate(targets) if target.weight), 0)
    real = ", ".join(f"{_ALL * t.weight / total:.3g} %" for t in targets) if total else "nothing"
    fix = f"make them add up to {_ALL}; Istio would send {real}"
    yield (at / first / "weight").problem("MW0301", f"the weights add up to {total}: {shares}", fix)


def destination(at: Spot, to: Destination, names: Names) -> Iterator[Problem]:
    """Where a route, a mirror or a proxy sends requests."""
    service = names.hosts.get(to.host)
    if service is None:
        text = f"destination {to.host or '(no host)'} is not a service of the mesh"
        yield (at / "host").problem("MW0201", text, names.closest_host(to.host))
        return
    subsets = names.subsets(to.host)
    if to.subset and to.subset not in subsets:
        text = f"no DestinationRule defines subset {to.subset!r} of {to.host}"
        yield (at / "subset").problem("MW0202", text, f"define it there; {told(subsets, 'it has')}")
    ports = [str(port.number) for port in service.ports]
    if to.port and str(to.port.number) not in ports:
        text, fix = f"{to.host} has no port {to.port.number}", f"it has: {', '.join(ports) or 'none'}"
        yield (at / "port" / "number").problem("MW0205", text, fix)
