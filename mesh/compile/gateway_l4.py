"""A router's filter chains for connections that it does not read as HTTP: TCP, TLS that it ends, TLS that passes through.

Source: pilot/pkg/networking/core/gateway.go, createGatewayTCPFilterChainOpts and below.
"""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.listener.v3.listener_components_pb2 import Filter

from mesh.compile import gateway_tls, tcp
from mesh.compile.gateway import Server
from mesh.compile.hosts import matches
from mesh.compile.listener import Chain
from mesh.compile.scope import Scope
from mesh.compile.side import Side
from mesh.compile.snidnat import passing
from mesh.compile.visible import VirtualService, virtual_services_for
from mesh.model.mesh import Mesh
from mesh.resources.istio.l4route import L4Match, TLSMatch
from mesh.resources.istio.network import ServerTLSMode


def chains(
    server: Server,
    mesh: Mesh,
    scope: Scope,
    side: Side,
    security: tuple[Filter, ...],
    claimed: dict[str, str],
) -> Iterator[Chain]:
    """``claimed`` are the server names that earlier routes of this port have taken; those of this server are added."""
    bound = virtual_services_for(mesh, side.workload.namespace, server.gateway)
    rules = [rule for rule in bound if _meets(server, rule)]
    if server.tls is not None and server.tls.mode is ServerTLSMode.AUTO_PASSTHROUGH:
        yield from passing(scope, side, server.server_names, security)
    elif server.passes_through:
        yield from _by_name(server, rules, scope, side, security, claimed)
    elif filters := _first_route(server, rules, scope, side):
        socket = gateway_tls.socket(server, side.config)
        yield Chain((*security, *filters), sni=server.server_names, socket=socket)


def _first_route(server: Server, rules: list[VirtualService], scope: Scope, side: Side) -> list[Filter]:
    for rule in rules:
        for route in rule.spec.tcp:
            asked = not route.match or any(_concerns(match, server) for match in route.match)
            if asked and route.route:
                return tcp.to_route(route.route, server.number, server.protocol, rule, scope, side)
    return []


def _by_name(
    server: Server,
    rules: list[VirtualService],
    scope: Scope,
    side: Side,
    security: tuple[Filter, ...],
    claimed: dict[str, str],
) -> Iterator[Chain]:
    for rule in rules:
        for route in rule.spec.tls:
            for match in route.match if route.route else ():
                taken = any(claimed.get(name) == server.bind for name in match.sni_hosts)
                if taken or not _concerns(match, server):
                    continue
                claimed.update(dict.fromkeys(match.sni_hosts, server.bind))
                found = tcp.to_route(route.route, server.number, server.protocol, rule, scope, side)
                yield Chain((*security, *found), sni=match.sni_hosts)


def _concerns(match: L4Match | TLSMatch, server: Server) -> bool:
    gateways = not match.gateways or server.gateway in match.gateways
    return match.port in (0, server.number) and gateways


def _meets(server: Server, rule: VirtualService) -> bool:
    """Whether the server and the VirtualService have a host in common, for the VirtualService's namespace."""
    for each in server.hosts:
        owner, _, host = each.rpartition("/")
        if owner in ("", rule.namespace) and any(matches(host, own) for own in rule.spec.hosts):
            return True
    return False
