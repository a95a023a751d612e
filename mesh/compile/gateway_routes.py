"""A router's route configuration: the VirtualServices bound to its Gateways, by host.

Source: istiod's buildGatewayHTTPRouteConfig.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from envoy.config.route.v3.route_components_pb2 import Route, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile import proxyheaders
from mesh.compile.destination import Resolver
from mesh.compile.gateway import Server
from mesh.compile.hosts import in_namespace, intersection, wildcard
from mesh.compile.match import matches_everything
from mesh.compile.route import Caller, routes
from mesh.compile.routeconfig import configuration
from mesh.compile.scope import Scope
from mesh.compile.visible import VirtualService, virtual_services_for
from mesh.envoy import names
from mesh.model.mesh import Mesh
from mesh.model.service import Workload
from mesh.resources.istio.meshconfig import MeshConfig

#: Which VirtualService, through which Gateway: what has one key has the same routes.
_Key = tuple[str, str, str]


@dataclass
class _Host:
    name: str
    domains: list[str]
    keys: list[_Key] = field(default_factory=list)
    only_tls: bool = False


def for_servers(
    name: str, mesh: Mesh, scope: Scope, workload: Workload, servers: Sequence[Server]
) -> RouteConfiguration:
    """Virtual hosts for every host that a server and a VirtualService share; those that only redirect need none to share."""
    built: dict[_Key, list[Route]] = {}
    hosts: dict[str, _Host] = {}
    for server in servers:
        redirects = server.tls is not None and server.tls.https_redirect
        for rule in virtual_services_for(mesh, workload.namespace, server.gateway):
            shared = intersection(in_namespace(server.hosts, rule.namespace), rule.spec.hosts)
            key = (server.gateway, rule.namespace, rule.name)
            if shared and _build(built, key, rule, server, scope, workload, mesh.config):
                for host in shared:
                    _host(hosts, host, server.number, redirects).keys.append(key)
        for host in server.hosts if redirects else ():
            _host(hosts, host, server.number, redirects)
    if not hosts:
        nothing = names.at_port("blackhole", servers[0].number)
        return configuration(name, [VirtualHost(name=nothing, domains=["*"])])
    counts = proxyheaders.counts_attempts(mesh.config.default_config.proxy_headers)
    made = [_virtual_host(host, built, counts) for host in _collapsed(hosts)]
    return configuration(name, sorted(made, key=lambda host: str(host.name)))


def _build(
    built: dict[_Key, list[Route]],
    key: _Key,
    rule: VirtualService,
    server: Server,
    scope: Scope,
    workload: Workload,
    config: MeshConfig,
) -> bool:
    if key not in built:
        tls = server.tls is not None
        resolver = Resolver(scope, server.number, config, gateway=True, tls=tls)
        found = routes(rule, Caller(workload, server.gateway, resolver))
        if not found:
            return False
        built[key] = found
    return True


def _host(hosts: dict[str, _Host], name: str, port: int, only_tls: bool) -> _Host:
    name = name.lower()
    there = hosts.setdefault(name, _Host(names.at_port(name, port), [name]))
    there.only_tls |= only_tls
    return there


def _collapsed(hosts: dict[str, _Host]) -> Iterable[_Host]:
    """Hosts with the same routes become one, called after the most specific of them."""
    found: dict[tuple[bool, tuple[_Key, ...]], _Host] = {}
    for host in sorted(hosts, key=lambda name: (wildcard(name), -len(name), name)):
        same = found.setdefault((hosts[host].only_tls, tuple(hosts[host].keys)), hosts[host])
        if same is not hosts[host]:
            same.domains += hosts[host].domains
    return found.values()


def _virtual_host(host: _Host, built: dict[_Key, list[Route]], counts: bool) -> VirtualHost:
    """Of several VirtualServices, the routes that match everything come last."""
    found = [route for key in host.keys for route in built[key]]
    found.sort(key=lambda route: matches_everything(route.match))
    return VirtualHost(
        name=host.name,
        domains=host.domains,
        routes=found,
        include_request_attempt_count=counts,
        require_tls=VirtualHost.ALL if host.only_tls else VirtualHost.NONE,
    )
