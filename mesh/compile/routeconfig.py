"""Route configurations of a sidecar: one for each port, with a virtual host for each service.

Source: istiod's httproute.go; which routes a virtual host has is decided in ``hostgroups``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from envoy.config.route.v3.route_components_pb2 import Route, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile import proxyheaders, tcp
from mesh.compile.hostgroups import groups
from mesh.compile.scope import Egress, Scope
from mesh.compile.virtualhost import alternatives, domains
from mesh.envoy import names
from mesh.model.service import Protocol, Service, Workload
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import OutboundMode

_LARGEST_ANSWER = 1024 * 1024


def listened(name: str) -> int:
    """The port that a route configuration's name says; 0 for a Unix socket."""
    return 0 if name.startswith("unix://") else int(name.rpartition(":")[2])


def is_for_service(name: str) -> bool:
    """Whether only one service listens there, as in ``HOST:PORT``."""
    return ":" in name and not name.startswith("unix://")


def for_port(name: str, scope: Scope, config: MeshConfig, hosts: Iterable[VirtualHost]) -> RouteConfiguration:
    """The configuration of a port: its virtual hosts, and what becomes of requests to anything else."""
    return configuration(name, [*hosts, _catch_all(scope, config)])


def for_service(name: str, hosts: Iterable[VirtualHost]) -> RouteConfiguration:
    """Named ``HOST:PORT``: only one service listens there, whatever its caller calls it."""
    host = name.rpartition(":")[0]
    found = [each for each in hosts if host in each.domains]
    return configuration(name, [_for_any(each) for each in found] if len(found) == 1 else found)


def configuration(name: str, hosts: Iterable[VirtualHost]) -> RouteConfiguration:
    return RouteConfiguration(
        name=name,
        virtual_hosts=hosts,
        validate_clusters={"value": False},
        max_direct_response_body_size_bytes={"value": _LARGEST_ANSWER},
        ignore_port_in_host_matching=True,
    )


def _for_any(host: VirtualHost) -> VirtualHost:
    made = VirtualHost()
    made.CopyFrom(host)
    made.domains[:] = ["*"]
    return made


def virtual_hosts(scope: Scope, workload: Workload, name: str, config: MeshConfig) -> list[VirtualHost]:
    """Every service and VirtualService host on a port, by name. What it depends on of the workload is its namespace, and
    its labels where a VirtualService asks for them."""
    number = listened(name)
    egress = next((e for e in scope.egress if _listens(e, number, name)), None)
    if egress is None:
        return []
    if egress.port and egress.port.protocol is Protocol.HTTP_PROXY:
        number = 0
    made = list(_virtual_hosts(scope, egress, workload, number, config))
    hosts = [host for port, host in made if number or port == 80] + list(_by_port(made, number))
    return sorted(hosts, key=lambda host: str(host.name))


def _listens(egress: Egress, number: int, name: str) -> bool:
    if egress.port is None:
        return True
    return egress.port.number == number and (number > 0 or egress.bind == name)


def _by_port(made: Iterable[tuple[int, VirtualHost]], number: int) -> Iterator[VirtualHost]:
    """Where one listener is for every port, the others than 80 are told apart by the port that callers write."""
    for port, host in made if not number else ():
        kept = [domain for domain in host.domains if ":" in domain]
        if port != 80 and kept:
            host.domains[:] = kept
            yield host


def _virtual_hosts(
    scope: Scope, egress: Egress, workload: Workload, number: int, config: MeshConfig
) -> Iterator[tuple[int, VirtualHost]]:
    found = list(groups(scope, egress, workload, number, config))
    known = {name for group in found for s in group.services for name in _names(s.hostname, group.port)}
    counts = proxyheaders.counts_attempts(config.default_config.proxy_headers)
    used: set[str] = set()
    made: set[str] = set()
    for group in found:
        named: list[tuple[str, Service | None]] = [(host.lower(), None) for host in group.hosts]
        named += [(service.hostname, service) for service in group.services]
        for host, service in named:
            name = names.at_port(host, group.port)
            if name in made:
                continue
            made.add(name)
            written = 0 if number else group.port
            mine = domains(service, workload.namespace, written) if service else [host]
            short = alternatives(host, workload.namespace, written) if service else []
            if free := _free(mine, short, used, known):
                yield (
                    group.port,
                    VirtualHost(
                        name=name, domains=free, routes=group.routes, include_request_attempt_count=counts
                    ),
                )


def _names(hostname: str, number: int) -> tuple[str, str]:
    return hostname, names.at_port(hostname, number)


def _free(mine: Iterable[str], short: Sequence[str], used: set[str], known: set[str]) -> list[str]:
    """Domains that no earlier host has, and no short name that is another service's full one. Marks them as used."""
    free: list[str] = []
    for domain in mine:
        if domain.lower() not in used and not (domain in short and domain in known):
            free.append(domain)
            used.add(domain.lower())
    return free


def _catch_all(scope: Scope, config: MeshConfig) -> VirtualHost:
    """Requests to what the mesh does not know: let out, or answered with 502."""
    allowed = scope.outbound.mode is OutboundMode.ALLOW_ANY
    headers = config.default_config.proxy_headers
    name = "allow_any" if allowed else "block_all"
    route = Route(name=name, match={"prefix": "/"})
    if allowed:
        proxy = scope.outbound.egress_proxy
        route.route.cluster = tcp.cluster_of(proxy, None, 0) if proxy else names.PASSTHROUGH
        route.route.timeout.FromTimedelta(timedelta(0))
        route.route.max_grpc_timeout.FromTimedelta(timedelta(0))
        route.route.append_x_forwarded_host = headers is not None and headers.x_forwarded_host.enabled
    else:
        route.direct_response.status = 502
    counts = proxyheaders.counts_attempts(headers)
    return VirtualHost(name=name, domains=["*"], routes=[route], include_request_attempt_count=counts)
