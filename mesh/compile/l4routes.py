"""A sidecar's filter chains for connections that it does not read as HTTP: by VirtualServices' tls and tcp routes.

Source: pilot/pkg/networking/core/tls.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from envoy.config.core.v3.base_pb2 import Metadata
from envoy.config.listener.v3.listener_components_pb2 import Filter

from mesh.compile import ports, tcp
from mesh.compile.hosts import matches
from mesh.compile.listener import Chain
from mesh.compile.scope import Scope
from mesh.compile.side import Side
from mesh.compile.visible import MESH_GATEWAY, VirtualService
from mesh.envoy import names
from mesh.envoy.address import ANY
from mesh.envoy.metadata import config_path, metadata
from mesh.model.service import Port, Service, Workload
from mesh.resources.istio.l4route import L4Match, TLSMatch


def chains(
    service: Service,
    port: Port,
    rules: Iterable[VirtualService],
    scope: Scope,
    side: Side,
    cidrs: tuple[str, ...] = (),
    bind: str = "",
) -> list[Chain]:
    """For connections to a port of a service, seen on the address ``bind``; ``cidrs`` are the service's where it has blocks."""
    mine = [rule for rule in rules if any(matches(host, service.hostname) for host in rule.spec.hosts)]
    if ports.is_tls(port.protocol):
        return list(_tls(service, port, mine, scope, side, cidrs, bind))
    return list(_tcp(service, port, mine, scope, side, cidrs))


def _tls(
    service: Service,
    port: Port,
    rules: list[VirtualService],
    scope: Scope,
    side: Side,
    cidrs: tuple[str, ...],
    bind: str,
) -> Iterator[Chain]:
    seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    for rule in rules:
        for route in rule.spec.tls:
            for match in route.match if route.route else ():
                if not concerns(match, side.workload, port.number):
                    continue
                cidrs = match.destination_subnets or cidrs
                asked = (match.sni_hosts, match.destination_subnets)
                if asked not in seen:
                    filters = tcp.to_route(route.route, port.number, port.protocol, rule, scope, side)
                    yield Chain(tuple(filters), sni=match.sni_hosts, cidrs=cidrs, metadata=_config(rule))
                seen.add(asked)
    if not seen:
        address = service.addresses[0] if service.addresses else ANY
        address = "" if "/" in address else address
        by_name = bool(cidrs) or not address or (address == ANY and bind == ANY)
        sni = (service.hostname,) if by_name else ()
        yield Chain(_to_service(service, port, scope, side), sni=sni, cidrs=cidrs)


def _tcp(
    service: Service,
    port: Port,
    rules: list[VirtualService],
    scope: Scope,
    side: Side,
    cidrs: tuple[str, ...],
) -> Iterator[Chain]:
    """The first route that asks for no address takes everything that is left."""
    covered = False
    for rule in rules:
        for route in rule.spec.tcp:
            if not route.route:
                continue
            concerned = [match for match in route.match if concerns(match, side.workload, port.number)]
            everywhere = not route.match or any(not match.destination_subnets for match in concerned)
            subnets = tuple(subnet for match in concerned for subnet in match.destination_subnets)
            if not everywhere and not subnets:
                continue
            filters = tuple(tcp.to_route(route.route, port.number, port.protocol, rule, scope, side))
            if everywhere:
                yield Chain(filters, cidrs=cidrs, metadata=_config(rule))
                return
            yield Chain(filters, cidrs=subnets)
            covered |= sorted(subnets) == sorted(cidrs)
    if not covered:
        yield Chain(_to_service(service, port, scope, side), cidrs=cidrs)


def concerns(match: L4Match | TLSMatch, workload: Workload, port: int, gateway: str = MESH_GATEWAY) -> bool:
    """What can be decided before a connection is made: who asks, through which gateway, on which port."""
    labelled = all(workload.labels.get(key) == value for key, value in match.source_labels.items())
    return (
        labelled
        and (not match.gateways or gateway in match.gateways)
        and match.port in (0, port)
        and match.source_namespace in ("", workload.namespace)
    )


def _to_service(service: Service, port: Port, scope: Scope, side: Side) -> tuple[Filter, ...]:
    """A service with one port is called on that, whatever port it is listened for on."""
    number = service.ports[0].number if len(service.ports) == 1 else port.number
    cluster = names.outbound(number, "", service.hostname)
    return tuple(tcp.to_service(cluster, port.protocol, scope.rule(service.hostname), side))


def _config(rule: VirtualService) -> Metadata:
    return metadata(istio={"config": config_path("virtual-service", rule.namespace, rule.name)})
