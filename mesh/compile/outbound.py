"""Outbound listeners: where the application's traffic to the mesh's services enters the proxy.

Where traffic is captured there is one for each port of HTTP services and one for each address and port of the others; which
may meet on one socket (``socketmerge``). Source: istiod's buildSidecarOutboundListeners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from envoy.config.listener.v3.listener_pb2 import Listener

from mesh.compile import hcm, l4routes, listener, ports, tcp
from mesh.compile.listener import HTTP_ALPN, Chain
from mesh.compile.scope import Egress, Scope
from mesh.compile.side import Side
from mesh.compile.socketmerge import Entry, shared
from mesh.envoy import names
from mesh.envoy.address import ANY, LOOPBACK, address
from mesh.model.service import Port, Protocol, Resolution, Service
from mesh.resources.istio.network import OutboundMode

#: No service may take the ports of the listeners that capture traffic; 0 is what a Service without targetPort has.
RESERVED: Final = (0, 15001, 15006)


@dataclass(frozen=True, eq=False)
class _Call:
    """Calls to a port of a service, met on an address (empty: the service's own)."""

    service: Service
    port: Port
    bind: str
    cidrs: tuple[str, ...] = ()


def listeners(scope: Scope, side: Side) -> list[Listener]:
    """Every captured listener of a sidecar, without those that capture."""
    entries: dict[tuple[str, int], Entry] = {}
    for egress in scope.egress:
        locked = frozenset() if egress.port else frozenset(entries)
        for call in _calls(egress, side):
            _add(entries, locked, call, egress, scope, side)
    return [_listener(entry, fallthrough(scope, side), side) for entry in entries.values()]


def http_chain(stat: str, routes: str, protocol: Protocol, side: Side) -> Chain:
    return Chain((hcm.outbound(names.stat(f"outbound_{stat}"), routes, protocol, side),))


def sniffed(chain: Chain) -> Chain:
    """A chain for what turns out to be plain HTTP."""
    return replace(chain, transport="raw_buffer", alpn=HTTP_ALPN)


def fallthrough(scope: Scope, side: Side) -> Chain:
    """What becomes of bytes to a captured port that are not what its services speak."""
    return Chain((tcp.to(catch_all_cluster(scope), side),))


def catch_all_cluster(scope: Scope) -> str:
    if scope.outbound.mode is not OutboundMode.ALLOW_ANY:
        return names.BLACK_HOLE
    egress = scope.outbound.egress_proxy
    return tcp.cluster_of(egress, None, 0) if egress else names.PASSTHROUGH


def _calls(egress: Egress, side: Side) -> Iterator[_Call]:
    bind = egress.bind or (LOOPBACK if egress.bound else "")
    for service in egress.services:
        if service.resolution is Resolution.ALIAS:
            continue
        for port in (egress.port,) if egress.port else service.ports:
            if _reserved(port, bind) or port.protocol is Protocol.UDP:
                continue
            yield from _met(service, port, bind, side) if not egress.port else [_Call(service, port, bind)]


def _reserved(port: Port, bind: str) -> bool:
    on_every_address = bind == ANY or (not bind and port.protocol.is_http)
    return port.number in RESERVED and on_every_address


def _met(service: Service, port: Port, bind: str, side: Side) -> Iterator[_Call]:
    """A headless service is met on each of its pods' addresses, except the caller's own."""
    alone = not bind and service.resolution is Resolution.PASSTHROUGH and not service.addresses
    if not alone or port.protocol.is_http:
        yield _Call(service, port, bind)
        return
    found = [e.address for e in service.endpoints if e.service_port == port.name]
    if service.entry and not found and not service.selector:
        yield _Call(service, port, bind)
    for each in found:
        if each != side.workload.pod_address:
            yield _Call(service, port, each)


def _add(
    entries: dict[tuple[str, int], Entry],
    locked: frozenset[tuple[str, int]],
    call: _Call,
    egress: Egress,
    scope: Scope,
    side: Side,
) -> None:
    call = _bound(call)
    key = (call.bind, call.port.number)
    there = entries.get(key)
    if key in locked or (there and not there.has_use_for(call.port.protocol)):
        return
    chains, shown = _chains(call, egress, scope, side)
    new = Entry(call.bind, call.service.addresses[1:], call.port.number, shown, chains, egress.bound)
    entries[key] = shared(there, new) if there else new


def _bound(call: _Call) -> _Call:
    if call.bind:
        return call
    if call.port.protocol.is_http:
        return replace(call, bind=ANY)
    own = call.service.addresses[0] if call.service.addresses else ANY
    return replace(call, bind=ANY, cidrs=(own,)) if "/" in own else replace(call, bind=own)


def _chains(call: _Call, egress: Egress, scope: Scope, side: Side) -> tuple[tuple[Chain, ...], Protocol]:
    """And the protocol of the socket: what may be plain HTTP on every address is told apart by looking."""
    port, stat = call.port, f"{call.bind}_{call.port.number}"
    protocol = port.protocol
    if protocol.is_http:
        http = http_chain(stat, str(port.number) if port.number else call.bind, protocol, side)
        if call.bind != ANY or protocol is Protocol.HTTP_PROXY:
            return (http,), protocol
        return (sniffed(http),), Protocol.UNSUPPORTED
    chains = l4routes.chains(call.service, port, egress.virtual_services, scope, side, call.cidrs, call.bind)
    if ports.is_sniffed(protocol):
        routes = str(port.number) if call.bind == ANY else f"{call.service.hostname}:{port.number}"
        chains.append(sniffed(http_chain(stat, routes, protocol, side)))
    return tuple(chains), protocol


def _listener(entry: Entry, rest: Chain, side: Side) -> Listener:
    where = address(entry.address, entry.port)
    made = listener.outbound(f"{entry.address}_{entry.port}", where, entry.chains, side.config, rest)
    for extra in entry.extra:
        made.additional_addresses.add(address=address(extra, entry.port))
    if entry.bound:
        made.max_connections_to_accept_per_socket_event.value = 1
    else:
        made.bind_to_port.value = False
    return made
