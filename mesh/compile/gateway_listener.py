"""A router's listeners: one for each place that Gateways open, with a filter chain for each server that is told apart by name.

Source: pilot/pkg/networking/core/gateway.go, buildGatewayListeners.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from envoy.config.core.v3.base_pb2 import TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import ListenerFilter
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.listener.proxy_protocol.v3.proxy_protocol_pb2 import ProxyProtocol

from mesh.compile import gateway_l4, gateway_tls, hcm, ports
from mesh.compile.authz import Authorization
from mesh.compile.gateway import Merged, Server, Socket
from mesh.compile.listener import Chain, filter_chain
from mesh.compile.scope import Scope
from mesh.compile.side import Side
from mesh.envoy import filters, names
from mesh.envoy.address import ANY, address
from mesh.model.mesh import Mesh

_PROXY_PROTOCOL = filters.listener("envoy.filters.listener.proxy_protocol", ProxyProtocol())


def listeners(
    merged: Merged, mesh: Mesh, scope: Scope, side: Side, authorization: Authorization
) -> Iterator[tuple[int, Listener]]:
    """With the port of each. Servers on one address and port are on one listener; one without chains is none."""
    by_name: dict[str, tuple[Socket, list[Chain]]] = {}
    claimed: dict[int, dict[str, str]] = {}
    for socket in merged.sockets.values():
        name = f"{socket.place.bind or ANY}_{socket.place.port}"
        names_there = claimed.setdefault(socket.place.port, {})
        chains = _chains(socket, name, mesh, scope, side, authorization, names_there)
        by_name.setdefault(name, (socket, []))[1].extend(chains)
    for name, (socket, found) in by_name.items():
        if found:
            yield socket.place.port, _listener(name, socket, found, side)


def _listener(name: str, socket: Socket, chains: Sequence[Chain], side: Side) -> Listener:
    return Listener(
        name=name,
        address=address(socket.place.bind or ANY, socket.place.port),
        traffic_direction=TrafficDirection.OUTBOUND,
        listener_filters=_inspectors(chains, side),
        filter_chains=[filter_chain(chain) for chain in chains],
        access_log=side.unrouted,
        max_connections_to_accept_per_socket_event={"value": 1},
    )


def _inspectors(chains: Sequence[Chain], side: Side) -> list[ListenerFilter]:
    topology = side.config.default_config.gateway_topology
    found = [_PROXY_PROTOCOL] if topology.proxy_protocol is not None else []
    by_name = any(chain.sni or chain.socket for chain in chains)
    return [*found, filters.TLS_INSPECTOR] if by_name else found


def _chains(
    socket: Socket,
    name: str,
    mesh: Mesh,
    scope: Scope,
    side: Side,
    authorization: Authorization,
    claimed: dict[str, str],
) -> Iterator[Chain]:
    if ports.parse(socket.place.protocol).is_http:
        stat = names.stat(f"outbound_{name}")
        protocol = ports.parse(socket.place.protocol)
        yield Chain((hcm.gateway(stat, socket.routes, protocol, authorization.http, side),))
        return
    for server in socket.servers:
        if server.reads_http and server.tls is not None:
            yield _https(server, name, side, authorization)
        else:
            yield from gateway_l4.chains(server, mesh, scope, side, authorization.tcp, claimed)


def _https(server: Server, name: str, side: Side, authorization: Authorization) -> Chain:
    stat = server.name or names.stat(f"outbound_{name}")
    manager = hcm.gateway(stat, server.routes, server.protocol, authorization.http, side)
    return Chain((manager,), sni=server.server_names, socket=gateway_tls.socket(server, side.config))
