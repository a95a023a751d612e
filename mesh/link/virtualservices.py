"""VirtualServices: every mistake that can be known before a request is sent.

``invalid`` is what istiod's own webhook refuses (istio pkg/config/validation/virtualservice.go); ``misdirected`` is what it lets pass
and a user finds out in production: names that do not exist, weights that were not meant, routes that no request reaches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh.link import destinations, headers, httproutes, l4, qualify, retries
from mesh.link.exports import exports
from mesh.link.hosts import MESH_GATEWAY, is_address, is_domain, is_label, matches
from mesh.link.names import Names, told
from mesh.link.spot import Spot, spec
from mesh.link.unreachable import unreachable
from mesh.resources.istio.virtualservice import HTTPRoute, VirtualServiceSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid(each: Object[VirtualServiceSpec]) -> Iterator[Problem]:
    """What istiod refuses."""
    at, given = spec(each), each.spec
    if not given.hosts:
        yield from _delegated(at, given)
    if not (given.http or given.tls or given.tcp):
        yield at.problem("MW0302", "this VirtualService has no route", "give spec.http")
    yield from _hosts(at / "hosts", given)
    yield from _gateway_names(at / "gateways", given.gateways)
    yield from exports(at / "exportTo", given.export_to)
    for i, route in enumerate(given.http):
        yield from httproutes.invalid(at / "http" / i, route)
        if not (_on_gateway(given) and given.hosts):
            yield from _claims(at / "http" / i / "match", route)
    for i, tls in enumerate(given.tls):
        yield from l4.tls(at / "tls" / i, tls, given.hosts)
    for i, tcp in enumerate(given.tcp):
        yield from l4.tcp(at / "tcp" / i, tcp)


def _delegated(at: Spot, given: VirtualServiceSpec) -> Iterator[Problem]:
    """Without hosts it is for others to delegate to."""
    for field, own in (("gateways", given.gateways), ("tls", given.tls), ("tcp", given.tcp)):
        if own:
            text = f"a VirtualService without hosts has no {field}"
            yield (at / field).problem(
                "MW0306", text, "give spec.hosts, or leave this to who delegates to it"
            )
    for i, route in enumerate(given.http):
        if route.delegate is not None:
            text = "what is delegated to cannot delegate"
            yield (at / "http" / i / "delegate").problem("MW0302", text, "give spec.hosts, or a route")


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
    yield from _unserved(at, given, names)
    yield from destinations.misdirected(at / "http", given, names)
    for i, route in enumerate(given.http):
        yield from retries.idle(at / "http" / i, route)
        for j, match in enumerate(route.match):
            yield from _gateways(at / "http" / i / "match" / j / "gateways", match.gateways, names)
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


def _unserved(at: Spot, given: VirtualServiceSpec, names: Names) -> Iterator[Problem]:
    """Hosts that none of the gateways has a server for, and gateways that have one for none of the hosts: they answer 404."""
    served = {
        name: [host.rpartition("/")[2] for server in gateway.spec.servers for host in server.hosts]
        for gateway in names.gateways
        if (name := f"{gateway.namespace}/{gateway.name}") in given.gateways
    }
    known = {*served, MESH_GATEWAY}.issuperset(given.gateways)
    for i, host in enumerate(given.hosts):
        inside = MESH_GATEWAY in given.gateways and names.has_host(host)
        if served and known and not inside and not any(_serves(hosts, host) for hosts in served.values()):
            text = f"no Gateway of this VirtualService has a server for {host}"
            yield (at / "hosts" / i).problem("MW0210", text, f"they serve: {_listed(*served.values())}")
    for i, name in enumerate(given.gateways):
        hosts = served.get(name, ["*"])
        if len(served) + (MESH_GATEWAY in given.gateways) > 1 and not any(
            _serves(hosts, h) for h in given.hosts
        ):
            text = f"Gateway {name} has a server for none of these hosts"
            yield (at / "gateways" / i).problem("MW0210", text, f"it serves: {_listed(hosts)}")


def _serves(hosts: Iterable[str], host: str) -> bool:
    return any(matches(host, each) or matches(each, host) for each in hosts)


def _listed(*hosts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(host for each in hosts for host in each))
