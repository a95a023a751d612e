"""Outbound listeners: where the application's traffic to the mesh's services enters the proxy.

Where traffic is captured there is one for each port of HTTP services and one for each address and port of the others; which
may meet on one socket. Source: istiod's buildSidecarOutboundListeners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from envoy.config.listener.v3.listener_pb2 import Listener

from mesh.compile import hcm, listener, ports, tcp
from mesh.compile.listener import HTTP_ALPN, Chain
from mesh.compile.scope import Scope
from mesh.envoy import names
from mesh.envoy.address import ANY
from mesh.model.service import Port, Protocol, Resolution, Service, Workload
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import OutboundMode

#: No service may take the ports of the listeners that capture traffic; 0 is what a Service without targetPort has.
RESERVED: Final = (0, 15001, 15006)
_EXACT: Final = (Protocol.MONGO, Protocol.MYSQL)


@dataclass(frozen=True)
class _Entry:
    """A socket and what shares it; ``protocol`` is that of the services on it, sniffed when they differ."""

    address: str
    port: int
    protocol: Protocol
    chains: tuple[Chain, ...]


def listeners(scope: Scope, workload: Workload, config: MeshConfig) -> list[Listener]:
    """Every captured listener of a sidecar, without those that capture."""
    entries: dict[tuple[str, int], _Entry] = {}
    for egress in scope.egress:
        locked = set(entries)
        for service in egress.services:
            for port in service.ports:
                for address in _addresses(service, port, workload):
                    if (address, port.number) not in locked:
                        _add(entries, scope, service, port, address, workload, config)
    return [_listener(entry, fallthrough(scope, config)) for entry in entries.values()]


def http_chain(stat: str, routes: str, port: Port, workload: Workload, config: MeshConfig) -> Chain:
    return Chain((hcm.outbound(names.stat(f"outbound_{stat}"), routes, port.protocol, workload, config),))


def tcp_chain(scope: Scope, service: Service, port: Port, config: MeshConfig) -> Chain:
    cluster = names.outbound(port.number, "", service.hostname)
    return Chain(tuple(tcp.to_service(cluster, port.protocol, scope.rule(service.hostname), config)))


def sniffed(chain: Chain) -> Chain:
    """A chain for what turns out to be plain HTTP."""
    return replace(chain, transport="raw_buffer", alpn=HTTP_ALPN)


def fallthrough(scope: Scope, config: MeshConfig) -> Chain:
    """What becomes of bytes to a captured port that are not what its services speak."""
    return Chain((tcp.to(catch_all_cluster(scope), config),))


def catch_all_cluster(scope: Scope) -> str:
    return names.PASSTHROUGH if scope.outbound is OutboundMode.ALLOW_ANY else names.BLACK_HOLE


def _addresses(service: Service, port: Port, workload: Workload) -> Iterator[str]:
    if service.resolution is Resolution.ALIAS or port.protocol is Protocol.UDP:
        return
    if port.protocol.is_http:
        if port.number not in RESERVED:
            yield ANY
    elif service.addresses:
        yield service.addresses[0]
    elif service.resolution is Resolution.PASSTHROUGH:
        found = (e.address for e in service.endpoints if e.service_port == port.name)
        yield from (address for address in found if address != workload.pod_address)
    else:
        yield ANY


def _add(
    entries: dict[tuple[str, int], _Entry],
    scope: Scope,
    service: Service,
    port: Port,
    address: str,
    workload: Workload,
    config: MeshConfig,
) -> None:
    key = (address, port.number)
    there = entries.get(key)
    if there and not _shares(there.protocol, port.protocol):
        return
    chains = _chains(scope, service, port, address, workload, config)
    if there is None:
        # Plain HTTP on every address is told apart by looking, so that it can share the socket with anything.
        shown = Protocol.UNSUPPORTED if port.protocol.is_http else port.protocol
        entries[key] = _Entry(address, port.number, shown, chains)
        return
    added = [chain for chain in chains if not any(chain.same_match(each) for each in there.chains)]
    both_tcp = ports.is_tcp(there.protocol) and ports.is_tcp(port.protocol)
    mixed = there.protocol if both_tcp or ports.is_sniffed(there.protocol) else Protocol.UNSUPPORTED
    entries[key] = replace(there, chains=(*there.chains, *added), protocol=mixed)


def _shares(there: Protocol, new: Protocol) -> bool:
    """Whether a socket that speaks ``there`` has a use for a service that speaks ``new``."""
    if new.is_http and not ports.is_tcp(there):
        return False
    if ports.is_sniffed(new) and ports.is_sniffed(there):
        return False
    return there == new or not (there in _EXACT or new in _EXACT)


def _chains(
    scope: Scope, service: Service, port: Port, address: str, workload: Workload, config: MeshConfig
) -> tuple[Chain, ...]:
    stat = f"{address}_{port.number}"
    if port.protocol.is_http:
        return (sniffed(http_chain(stat, str(port.number), port, workload, config)),)
    chains = [tcp_chain(scope, service, port, config)]
    if ports.is_sniffed(port.protocol):
        routes = str(port.number) if address == ANY else f"{service.hostname}:{port.number}"
        chains.append(sniffed(http_chain(stat, routes, port, workload, config)))
    return tuple(chains)


def _listener(entry: _Entry, rest: Chain) -> Listener:
    made = listener.outbound(f"{entry.address}_{entry.port}", entry.address, entry.port, entry.chains, rest)
    made.bind_to_port.value = False
    return made
