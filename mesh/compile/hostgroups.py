"""Which hosts of a port share routes: those that a VirtualService routes, and every service that none of them is for.

Source: istiod's BuildSidecarVirtualHostWrapper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from envoy.config.route.v3.route_components_pb2 import Route

from mesh.compile import ports
from mesh.compile.destination import Resolver
from mesh.compile.hosts import matches, most_specific, wildcard
from mesh.compile.route import Caller, default_route, routes
from mesh.compile.scope import Egress, Scope
from mesh.compile.visible import MESH_GATEWAY, VirtualService
from mesh.model.service import Resolution, Service, Workload
from mesh.resources.istio.meshconfig import MeshConfig


@dataclass(frozen=True, eq=False)
class Group:
    """A VirtualService's own hosts, and the services that it is for, on one port."""

    port: int
    hosts: tuple[str, ...]
    services: tuple[Service, ...]
    routes: tuple[Route, ...]


def groups(
    scope: Scope, egress: Egress, workload: Workload, number: int, config: MeshConfig
) -> Iterator[Group]:
    """For calls to a port, or (0) to every port."""
    caller = Caller(workload, MESH_GATEWAY, Resolver(scope, number, config))
    served: dict[str, Service] = {}
    for each in egress.services:
        if there := _on(each, number):
            served.setdefault(there.hostname.lower(), there)
    rules = egress.virtual_services
    chosen = [rule for rule in rules if number == 80 or _is_for(rule, served)]
    by_wildcard = _most_specific(rules, egress.services)
    taken: set[str] = set()
    for rule in chosen:
        for group in _of_rule(rule, caller, served, by_wildcard):
            taken |= {service.hostname for service in group.services}
            yield group
    for service in served.values():
        if service.hostname in taken or service.resolution is Resolution.ALIAS:
            continue
        for port in service.ports:
            if ports.may_be_http(port.protocol):
                route = default_route(scope, service, port, config)
                yield Group(port.number, (), (service,), (route,))


def _on(service: Service, number: int) -> Service | None:
    """The service with only the port that is called."""
    port = ports.port_of(service, number)
    return service if not number else replace(service, ports=(port,)) if port else None


def _of_rule(
    rule: VirtualService,
    caller: Caller,
    served: dict[str, Service],
    by_wildcard: dict[str, VirtualService],
) -> Iterator[Group]:
    found = routes(rule, caller)
    if not found:
        return
    hosts, services = _split(rule, served, by_wildcard)
    by_port: dict[int, list[Service]] = {}
    for service in services:
        for port in service.ports:
            if ports.may_be_http(port.protocol):
                by_port.setdefault(port.number, []).append(service)
    if not by_port and caller.port == 80:
        by_port[80] = []
    for number, there in by_port.items():
        yield Group(number, tuple(hosts), tuple(there), tuple(found))


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
