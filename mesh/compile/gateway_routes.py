"""A router's route configuration: the VirtualServices bound to its Gateways, by host.

Source: istiod's buildGatewayHTTPRouteConfig.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from envoy.config.route.v3.route_components_pb2 import Route, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile.destination import Resolver
from mesh.compile.gateway import Server, Socket
from mesh.compile.hosts import in_namespace, intersection, wildcard
from mesh.compile.match import matches_everything
from mesh.compile.route import Caller, routes
from mesh.compile.routeconfig import configuration
from mesh.compile.scope import Scope
from mesh.compile.visible import VirtualService, virtual_services_for
from mesh.envoy import names
from mesh.model.mesh import Mesh
from mesh.model.service import Workload

#: Which VirtualService, through which Gateway: what has one key has the same routes.
_Key = tuple[str, str, str]


@dataclass
class _Host:
    name: str
    domains: list[str]
    keys: list[_Key] = field(default_factory=list)


def for_socket(mesh: Mesh, scope: Scope, workload: Workload, socket: Socket) -> RouteConfiguration:
    """Virtual hosts for every host that a server and a VirtualService share."""
    built: dict[_Key, list[Route]] = {}
    hosts: dict[str, _Host] = {}
    for server in socket.servers:
        for rule in virtual_services_for(mesh.virtual_services, workload.namespace, server.gateway):
            shared = intersection(in_namespace(server.hosts, rule.namespace), rule.spec.hosts)
            key = (server.gateway, rule.namespace, rule.name)
            if shared and _build(built, key, rule, server, scope, workload):
                for host in shared:
                    _add(hosts, host.lower(), server.number, key)
    if not hosts:
        nothing = names.at_port("blackhole", socket.servers[0].number)
        return configuration(socket.routes, [VirtualHost(name=nothing, domains=["*"])])
    made = [_virtual_host(host, built) for host in _collapsed(hosts)]
    return configuration(socket.routes, sorted(made, key=lambda host: str(host.name)))


def _build(
    built: dict[_Key, list[Route]],
    key: _Key,
    rule: VirtualService,
    server: Server,
    scope: Scope,
    workload: Workload,
) -> bool:
    if key not in built:
        resolver = Resolver(scope, server.number, gateway=True)
        found = routes(rule, Caller(workload, server.gateway, resolver))
        if not found:
            return False
        built[key] = found
    return True


def _add(hosts: dict[str, _Host], host: str, port: int, key: _Key) -> None:
    there = hosts.setdefault(host, _Host(names.at_port(host, port), [host]))
    there.keys.append(key)


def _collapsed(hosts: dict[str, _Host]) -> Iterable[_Host]:
    """Hosts with the same routes become one, called after the most specific of them."""
    found: dict[tuple[_Key, ...], _Host] = {}
    for host in sorted(hosts, key=lambda name: (wildcard(name), -len(name), name)):
        same = found.setdefault(tuple(hosts[host].keys), hosts[host])
        if same is not hosts[host]:
            same.domains += hosts[host].domains
    return found.values()


def _virtual_host(host: _Host, built: dict[_Key, list[Route]]) -> VirtualHost:
    """Of several VirtualServices, the routes that match everything come last."""
    found = [route for key in host.keys for route in built[key]]
    found.sort(key=lambda route: matches_everything(route.match))
    return VirtualHost(name=host.name, domains=host.domains, routes=found, include_request_attempt_count=True)
