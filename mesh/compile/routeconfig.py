"""Route configurations of a sidecar: one for each port, with a virtual host for each service.

Source: istiod's httproute.go (BuildSidecarOutboundVirtualHosts) and route.go (BuildSidecarVirtualHostWrapper).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from envoy.config.route.v3.route_components_pb2 import Route, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile import ports
from mesh.compile.destination import Resolver
from mesh.compile.hosts import matches, most_specific, wildcard
from mesh.compile.route import Caller, default_route, routes
from mesh.compile.scope import Egress, Scope
from mesh.compile.virtualhost import alternatives, domains
from mesh.compile.visible import MESH_GATEWAY, VirtualService
from mesh.envoy import names
from mesh.model.service import Resolution, Service, Workload
from mesh.resources.istio.network import OutboundMode

_LARGEST_ANSWER = 1024 * 1024


@dataclass(frozen=True, eq=False)
class _Group:
    """Hosts that share routes: a VirtualService's own, and the services that it is for."""

    hosts: tuple[str, ...]
    services: tuple[Service, ...]
    routes: tuple[Route, ...]


def for_port(scope: Scope, number: int, hosts: Iterable[VirtualHost]) -> RouteConfiguration:
    """The configuration of a port: its virtual hosts, and what becomes of requests to anything else."""
    return configuration(str(number), [*hosts, _catch_all(scope)])


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


def virtual_hosts(scope: Scope, workload: Workload, number: int) -> list[VirtualHost]:
    """Every service and VirtualService host on a port, by name. What it depends on of the workload is its namespace, and
    its labels where a VirtualService asks for them."""
    return sorted(_virtual_hosts(scope, workload, number), key=lambda host: str(host.name))


def _virtual_hosts(scope: Scope, workload: Workload, number: int) -> Iterator[VirtualHost]:
    groups = list(_groups(scope, scope.egress[0], workload, number))
    known = {name for group in groups for s in group.services for name in _names(s.hostname, number)}
    used: set[str] = set()
    made: set[str] = set()
    for group in groups:
        named: list[tuple[str, Service | None]] = [(host.lower(), None) for host in group.hosts]
        named += [(service.hostname, service) for service in group.services]
        for host, service in named:
            name = names.at_port(host, number)
            if name in made:
                continue
            made.add(name)
            mine = domains(service, workload.namespace) if service else [host]
            short = alternatives(host, workload.namespace) if service else []
            free = _free(mine, short, used, known)
            if free:
                yield VirtualHost(
                    name=name, domains=free, routes=group.routes, include_request_attempt_count=True
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


def _groups(scope: Scope, egress: Egress, workload: Workload, number: int) -> Iterator[_Group]:
    """First what VirtualServices route, then every service that none of them is for."""
    caller = Caller(workload, MESH_GATEWAY, Resolver(scope, number))
    served = {s.hostname.lower(): s for s in egress.services if ports.port_of(s, number)}
    rules = egress.virtual_services
    chosen = [rule for rule in rules if number == 80 or _is_for(rule, served)]
    by_wildcard = _most_specific(rules, egress.services)
    taken: set[str] = set()
    for rule in chosen:
        group = _group(rule, caller, served, by_wildcard, number)
        if group:
            taken |= {service.hostname for service in group.services}
            yield group
    for service in served.values():
        port = ports.port_of(service, number)
        plain = service.hostname not in taken and service.resolution is not Resolution.ALIAS
        if plain and port and ports.may_be_http(port.protocol):
            yield _Group((), (service,), (default_route(scope, service, port),))


def _group(
    rule: VirtualService,
    caller: Caller,
    served: dict[str, Service],
    by_wildcard: dict[str, VirtualService],
    number: int,
) -> _Group | None:
    found = routes(rule, caller)
    if not found:
        return None
    hosts, services = _split(rule, served, by_wildcard)
    http = [s for s in services if (port := ports.port_of(s, number)) and ports.may_be_http(port.protocol)]
    if not http and number != 80:
        return None
    return _Group(tuple(hosts), tuple(http), tuple(found))


def _split(
    rule: VirtualService, served: dict[str, Service], by_wildcard: dict[str, VirtualService]
) -> tuple[list[str], list[Service]]:
    """A VirtualService's hosts that are no services here, and the services that it is for.

    A host with ``*`` is for the services that no more specific VirtualService is for.
    """
    hosts: list[str] = []
    services: list[Service] = []
    for host in sorted(rule.spec.hosts, key=wildcard):
        if not wildcard(host):
            service = served.get(host.lower())
            if service:
                services.append(service)
            else:
                hosts.append(host)
            continue
        covered = [name for name in served if matches(name, host.lower())]
        services += [served[name] for name in covered if by_wildcard.get(served[name].hostname) is rule]
        hosts += [] if covered else [host]
    return hosts, services


def _is_for(rule: VirtualService, served: dict[str, Service]) -> bool:
    lowered = [host.lower() for host in rule.spec.hosts]
    return any(
        host in served or any(matches(host, name) for name in served if wildcard(host) or wildcard(name))
        for host in lowered
    )


def _most_specific(rules: Iterable[VirtualService], services: Iterable[Service]) -> dict[str, VirtualService]:
    by_host: dict[str, VirtualService] = {}
    for rule in rules:
        for host in rule.spec.hosts:
            by_host.setdefault(host, rule)
    found = ((s.hostname, most_specific(s.hostname, by_host)) for s in services)
    return {host: rule for host, rule in found if rule is not None}


def _catch_all(scope: Scope) -> VirtualHost:
    """Requests to what the mesh does not know: let out, or answered with 502."""
    allowed = scope.outbound is OutboundMode.ALLOW_ANY
    name = "allow_any" if allowed else "block_all"
    route = Route(name=name, match={"prefix": "/"})
    if allowed:
        route.route.cluster = names.PASSTHROUGH
        route.route.timeout.FromTimedelta(timedelta(0))
        route.route.max_grpc_timeout.FromTimedelta(timedelta(0))
    else:
        route.direct_response.status = 502
    return VirtualHost(name=name, domains=["*"], routes=[route], include_request_attempt_count=True)
