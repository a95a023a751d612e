"""Inbound filter chains: what a caller of the application passes, port by port.

Source: istiod's listener_inbound.go. Where traffic is captured they are all in ``virtualInbound``; on one machine each port
has a listener of its own with the same chains (``local``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from envoy.config.core.v3.base_pb2 import Metadata, TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import Filter, FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import Route
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile import hcm, tcp
from mesh.compile.authz import Authorization
from mesh.compile.listener import inbound_chain, inspectors
from mesh.compile.mtls import Option, options
from mesh.compile.outbound import RESERVED
from mesh.compile.served import Served
from mesh.compile.side import Side
from mesh.envoy import filters, names, tls
from mesh.envoy.address import ANY, socket_address
from mesh.envoy.metadata import config_path, metadata
from mesh.model.peer import Peer
from mesh.model.service import Protocol
from mesh.resources.istio.security import MutualTLS

PORT = 15006
_ONE_AT_A_TIME = {"value": 1}


@dataclass(frozen=True, eq=False)
class Inbound:
    """What the inbound chains of one workload are made from."""

    side: Side
    peer: Peer
    authorization: Authorization
    local: bool


@dataclass(frozen=True)
class _Port:
    """A port of the application, or (number 0) all that no service names."""

    number: int
    protocol: Protocol
    cluster: str
    name: str
    stat: str
    service_port: int
    operation: str
    metadata: Metadata | None = None

    @property
    def passthrough(self) -> bool:
        return self.cluster == names.INBOUND_PASSTHROUGH


def port_chains(inbound: Inbound, served: Served) -> list[FilterChain]:
    """The chains of one served port."""
    name = _name(served)
    cluster = names.inbound(served.number)
    port = _Port(
        served.number,
        served.protocol,
        cluster,
        name,
        names.stat(f"inbound_{name}"),
        served.port.number,
        f"{served.hostname}:{served.port.number}/*",
        metadata(istio={"config": config_path("sidecar", *served.sidecar)}) if served.sidecar else None,
    )
    return list(_chains(inbound, port, inbound.peer.for_port(served.number)))


def virtual(inbound: Inbound, served: Iterable[Served]) -> Listener:
    """The one listener that takes every captured connection to the pod."""
    ports = list(served)
    chains = [_black_hole(), *_passthrough(inbound, 0, inbound.peer.mode)]
    known = {each.number for each in ports}
    for number, mode in sorted(inbound.peer.ports.items()):
        if number not in known:
            chains += _passthrough(inbound, number, mode)
    for each in ports:
        if each.number not in RESERVED and not each.bound:
            chains += port_chains(inbound, each)
    found = listener("virtualInbound", ANY, PORT, chains, inbound.side)
    found.listener_filters.insert(0, filters.ORIGINAL_DESTINATION)
    return found


def bound(inbound: Inbound, served: Served) -> Listener:
    """A port that a Sidecar has its proxy listen on by itself."""
    chains = port_chains(inbound, served)
    return listener(_name(served), served.address, served.number, chains, inbound.side)


def _name(served: Served) -> str:
    return f"{served.address}_{served.number}"


def listener(name: str, address: str, port: int, chains: list[FilterChain], side: Side) -> Listener:
    return Listener(
        name=name,
        address=socket_address(address, port),
        filter_chains=chains,
        listener_filters=inspectors(chains),
        listener_filters_timeout=side.config.protocol_detection_timeout,
        continue_on_listener_filters_timeout=True,
        traffic_direction=TrafficDirection.INBOUND,
        access_log=side.unrouted,
        max_connections_to_accept_per_socket_event=_ONE_AT_A_TIME,
    )


def _passthrough(inbound: Inbound, number: int, mode: MutualTLS) -> Iterator[FilterChain]:
    cluster = names.INBOUND_PASSTHROUGH
    stat = names.stat(cluster)
    port = _Port(number, Protocol.UNSUPPORTED, cluster, "virtualInbound", stat, 0, ":0/*")
    return _chains(inbound, port, mode)


def _chains(inbound: Inbound, port: _Port, mode: MutualTLS) -> Iterator[FilterChain]:
    config = inbound.side.config
    socket = tls.server([config.trust_domain, *config.trust_domain_aliases], inbound.local)
    for option in options(port.protocol, mode):
        catch_all_http = port.passthrough and option.http
        yield inbound_chain(
            "virtualInbound-catchall-http" if catch_all_http else port.name,
            _filters(inbound, port, option),
            _match(port, option),
            socket if option.tls else None,
            port.metadata,
        )


def _match(port: _Port, option: Option) -> dict[str, Any]:
    match: dict[str, Any] = {
        "transport_protocol": option.transport,
        "application_protocols": option.alpn,
    }
    return match | ({"destination_port": {"value": port.number}} if port.number else {})


def _filters(inbound: Inbound, port: _Port, option: Option) -> list[Filter]:
    if not option.http:
        proxy = tcp.to(port.cluster, inbound.side)
        mongo = [filters.mongo(port.cluster)] if port.protocol is Protocol.MONGO else []
        return [*inbound.authorization.tcp, *mongo, proxy]
    security = inbound.authorization.http
    return [hcm.inbound(port.stat, _routes(port), port.protocol, security, inbound.side)]


def _routes(port: _Port) -> RouteConfiguration:
    host = {"name": f"inbound|http|{port.service_port}", "domains": ["*"], "routes": [_route(port)]}
    return RouteConfiguration(name=port.cluster, virtual_hosts=[host], validate_clusters={"value": False})


def _route(port: _Port) -> Route:
    """Everything to the application, for as long as the caller likes."""
    forever = {"max_stream_duration": timedelta(0), "grpc_timeout_header_max": timedelta(0)}
    route = Route(
        name="default",
        match={"prefix": "/"},
        route={"cluster": port.cluster, "timeout": timedelta(0), "max_stream_duration": forever},
        decorator={"operation": port.operation},
    )
    if port.protocol not in (Protocol.GRPC, Protocol.GRPC_WEB):
        # A connection that the application closed while it was idle; nothing has been sent on it yet.
        route.route.retry_policy.retry_on = "reset-before-request"
        route.route.retry_policy.num_retries.value = 2
    return route


def _black_hole() -> FilterChain:
    """A connection to the capturing port itself would come back to it for ever."""
    proxy = tcp.to(names.BLACK_HOLE, None)
    return inbound_chain("virtualInbound-blackhole", [proxy], {"destination_port": {"value": PORT}}, None)
