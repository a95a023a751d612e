"""What differs on one machine: nothing is captured, so every port that traffic enters has a listener of its own.

Everything else, filters, routes, TLS, authorization, is the same code (see ``Placement``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import Route
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from mesh.compile import inbound, l4routes, listener, outbound, ports, routeconfig
from mesh.compile.inbound import Inbound
from mesh.compile.listener import Chain
from mesh.compile.match import AUTHORITY
from mesh.compile.patch_listener import Place
from mesh.compile.scope import Egress, Scope
from mesh.compile.served import Served
from mesh.compile.side import Side
from mesh.envoy import names
from mesh.envoy.address import ANY, LOOPBACK, socket_address
from mesh.model.mesh import Placement
from mesh.model.service import Port, Service, Workload


def upstreams(
    scope: Scope, workload: Workload, placement: Placement
) -> Iterator[tuple[Egress, Service, Port, int]]:
    """The services that a proxy listens for, each port with the loopback port that stands for it."""
    for egress in scope.egress:
        for service in egress.services:
            for port in service.ports:
                placed = placement.outbound.get((workload.key, service.hostname, port.number))
                if placed is not None:
                    yield egress, service, port, placed


def outbound_listener(
    scope: Scope, egress: Egress, service: Service, port: Port, placed: int, side: Side
) -> Listener:
    """What the application dials instead of the service; the name does not change when the port does."""
    name = names.at_port(service.hostname, port.number)
    chains: list[Chain] = []
    if not port.protocol.is_http:
        chains += l4routes.chains(service, port, egress.virtual_services, scope, side)
    if ports.may_be_http(port.protocol):
        http = outbound.http_chain(f"0.0.0.0_{port.number}", name, port.protocol, side)
        chains.append(outbound.sniffed(http) if ports.is_sniffed(port.protocol) else http)
    return listener.outbound(name, socket_address(LOOPBACK, placed), chains, side.config)


def inbound_listener(found: Inbound, served: Served, placed: int) -> Listener:
    """What callers dial instead of the pod's port: its chains without the port that they would be chosen by."""
    chains = inbound.port_chains(found, served)
    for chain in chains:
        chain.filter_chain_match.ClearField("destination_port")
    return inbound.listener(names.inbound(served.number), LOOPBACK, placed, chains, found.side)


def outbound_place(egress: Egress, service: Service, port: Port) -> Place:
    """The listener that would take the service's calls if they were captured."""
    everywhere = port.protocol.is_http or not service.addresses
    addresses = [egress.bind] if egress.bind else [ANY] if everywhere else [*service.addresses]
    return Place(frozenset(f"{address}_{port.number}" for address in addresses), port.number)


def inbound_place(each: Served) -> Place:
    """The listener that would take the port's calls if they were captured: the same one for all ports, with chains for each."""
    if each.bound:
        return Place(frozenset({f"{each.address}_{each.number}"}), each.number)
    return Place(frozenset({"virtualInbound"}), inbound.PORT, each.number)


def is_sniffed(scope: Scope, name: str) -> bool:
    """Whether a service's port (``HOST:PORT``) does not say what it speaks, so that its routes are its own on a cluster too."""
    host, _, number = name.rpartition(":")
    service = scope.service(host)
    found = (port for port in service.ports if port.number == int(number)) if service else ()
    return any(ports.is_sniffed(port.protocol) for port in found)


def routes(name: str, whole: RouteConfiguration) -> RouteConfiguration:
    """The configuration of one service (``HOST:PORT``) out of that of its port.

    A patch may have taken the service's name away: then what answers for any name does, unless it would let the call out as it came.
    """
    made = RouteConfiguration()
    made.CopyFrom(whole)
    chosen = routeconfig.for_service(name, made.virtual_hosts).virtual_hosts
    if not chosen:
        rest = [host for host in whole.virtual_hosts if "*" in host.domains]
        chosen = [h for h in rest if all(r.route.cluster != names.PASSTHROUGH for r in h.routes)]
    del made.virtual_hosts[:]
    made.virtual_hosts.extend(chosen)
    made.name = name
    return answering_any(made, name)


def answering_any(made: RouteConfiguration, name: str) -> RouteConfiguration:
    """A client dials 127.0.0.1 and says so: any name is answered, and the other side sees the service's own.

    A route that asks for the authority is therefore decided here, as for a client that calls the service by its full name.
    """
    config = RouteConfiguration()
    config.CopyFrom(made)
    for host in config.virtual_hosts:
        kept = [route for route in host.routes if _authority_matches(route, name)]
        del host.routes[:]
        host.routes.extend(kept)
        for route in host.routes:
            if route.HasField("route"):
                _rewrite(route, name)
    return config


def _authority_matches(route: Route, authority: str) -> bool:
    """Whether the route is for this authority; what it asks of it is then taken out."""
    asked = [header for header in route.match.headers if header.name == AUTHORITY]
    if not all(header.present_match or _matches(header.string_match, authority) for header in asked):
        return False
    kept = [header for header in route.match.headers if header.name != AUTHORITY]
    del route.match.headers[:]
    route.match.headers.extend(kept)
    return True


def _matches(given: StringMatcher, authority: str) -> bool:
    if given.HasField("exact"):
        return authority == str(given.exact)
    if given.HasField("prefix"):
        return authority.startswith(given.prefix)
    return re.fullmatch(given.safe_regex.regex, authority) is not None


def _rewrite(route: Route, authority: str) -> None:
    shares = route.route.weighted_clusters.clusters
    if any(share.HasField("host_rewrite_literal") for share in shares):
        for share in shares:
            share.host_rewrite_literal = share.host_rewrite_literal or authority
    elif not route.route.HasField("host_rewrite_literal"):
        route.route.host_rewrite_literal = authority
