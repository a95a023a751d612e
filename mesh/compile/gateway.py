"""Gateways: the servers that a router listens with, merged from every Gateway that selects it.

Source: pilot/pkg/model/gateway.go (mergeGateways) and pilot/pkg/networking/core/gateway.go. HTTP servers only: what else a
Gateway says is a Problem of its own before it comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from envoy.config.listener.v3.listener_pb2 import Listener

from mesh.compile import hcm, listener, ports
from mesh.compile.authz import Authorization
from mesh.compile.listener import Chain
from mesh.compile.served import Served
from mesh.envoy import names
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Protocol, Workload
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import GatewayServer, GatewaySpec


@dataclass(frozen=True, eq=False)
class Server:
    """One server of one Gateway; ``gateway`` is ``namespace/name``, ``hosts`` may be prefixed by a namespace."""

    gateway: str
    number: int
    hosts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Socket:
    """What a router listens on: ``port`` is the pod's, behind the Service's. The servers share it by host name."""

    port: int
    protocol: Protocol
    servers: tuple[Server, ...]

    @property
    def routes(self) -> str:
        return f"http.{self.port}"


def sockets(mesh: Mesh, workload: Workload, served: Iterable[Served]) -> list[Socket]:
    """By port, in the order in which Gateways open them. The first server of a port decides its protocol."""
    translated = {port.number: each.number for each in served for _, port in each.targets}
    found: dict[int, tuple[Protocol, list[Server]]] = {}
    for gateway in mesh.gateways:
        if _selects(gateway.spec, workload):
            for server in gateway.spec.servers:
                protocol = ports.parse(server.port.protocol)
                if protocol.is_http:
                    number = translated.get(server.port.number, server.port.number)
                    found.setdefault(number, (protocol, []))[1].append(_server(gateway, server))
    return [Socket(port, protocol, tuple(servers)) for port, (protocol, servers) in found.items()]


def gateway_listener(
    socket: Socket,
    address: str,
    port: int,
    workload: Workload,
    authorization: Authorization,
    config: MeshConfig,
) -> Listener:
    """The listener of a socket, bound to an address and port (the socket's own, unless it is placed elsewhere)."""
    name = f"0.0.0.0_{socket.port}"
    stat = names.stat(f"outbound_{name}")
    manager = hcm.gateway(stat, socket.routes, socket.protocol, authorization.http, workload, config)
    made = listener.outbound(name, address, port, [Chain((manager,))])
    made.ClearField("continue_on_listener_filters_timeout")
    made.ClearField("listener_filters_timeout")
    made.max_connections_to_accept_per_socket_event.value = 1
    return made


def _selects(spec: GatewaySpec, workload: Workload) -> bool:
    return all(workload.labels.get(key) == value for key, value in spec.selector.items())


def _server(gateway: Config[GatewaySpec], server: GatewayServer) -> Server:
    hosts = tuple(_hosts(server.hosts, gateway.namespace))
    return Server(f"{gateway.namespace}/{gateway.name}", server.port.number, hosts)


def _hosts(hosts: tuple[str, ...], namespace: str) -> Iterator[str]:
    """``.`` before a host is the Gateway's own namespace, ``*`` any."""
    if "*/*" in hosts:
        yield "*"
        return
    for host in hosts:
        owner, slash, name = host.partition("/")
        if not slash or owner not in (".", "*"):
            yield host
        else:
            yield f"{namespace}/{name}" if owner == "." else name
