"""Gateways: what istiod refuses, and whether anything listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link import servertls
from mesh.link.hosts import is_address, is_label, is_listed_host
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.resources.istio.network import GatewayPort, GatewayServer, GatewaySpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_KNOWN: Final = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL")
_SOCKET: Final = "unix://"


def invalid(each: Object[GatewaySpec]) -> Iterator[Problem]:
    """What istiod refuses. Source: istio validation.go, ValidateGateway."""
    at, names = spec(each), set[str]()
    if not is_label(each.metadata.name):
        text = f"{each.metadata.name!r} cannot name a Gateway"
        yield Spot(each, ("metadata", "name")).problem("MW0310", text, "use letters, digits and dashes")
    if not each.spec.servers:
        yield (at / "servers").problem("MW0302", "this Gateway has no server", "give servers")
    for i, server in enumerate(each.spec.servers):
        yield from _server(at / "servers" / i, server)
        name = server.port.name
        if name in names:
            text = f"the port name {name!r} is given twice"
            yield (at / "servers" / i / "port" / "name").problem("MW0203", text, "give each its own")
        names.add(name)


def _server(at: Spot, server: GatewayServer) -> Iterator[Problem]:
    if not server.hosts:
        yield (at / "hosts").problem("MW0306", "this server has no hosts", 'give hosts: ["*"]')
    for i, host in enumerate(server.hosts):
        namespace, slash, name = host.rpartition("/")
        known = not slash or namespace in ("*", ".") or is_label(namespace)
        if not known or not (is_listed_host(name) or ("." in name and is_address(name))):
            yield (at / "hosts" / i).problem(
                "MW0310", f"{host!r} is not a host", "as in *, shop.example.com or shop/*"
            )
    yield from _port(at / "port", server.port, server.bind)
    if server.bind and not is_address(server.bind) and not server.bind.startswith(_SOCKET):
        yield (at / "bind").problem("MW0310", f"{server.bind!r} is not an IP address", "as in 0.0.0.0")
    if server.default_endpoint:
        text = "Istio ignores the defaultEndpoint of a Gateway's server"
        yield (at / "defaultEndpoint").problem("MW0106", text, "remove it")
    yield from servertls.invalid(at, server)


def _port(at: Spot, port: GatewayPort, bind: str) -> Iterator[Problem]:
    if port == GatewayPort():
        yield at.problem("MW0302", "this server has no port", "give port with number, name and protocol")
        return
    protocol = port.protocol.upper()
    if not 0 < port.number < 65536 and (port.number or not bind.startswith(_SOCKET)):
        yield (at / "number").problem("MW0304", f"{port.number} is not a port", "use 1 to 65535")
    if port.target_port:
        yield (at / "targetPort").problem("MW0302", "targetPort does nothing in a Gateway", "remove it")
    if not port.name:
        yield at.problem("MW0302", "this port has no name", "give port.name")
    if protocol not in _KNOWN:
        text = f"{port.protocol!r} is not a protocol"
        yield (at / "protocol").problem("MW0308", text, f"use one of: {', '.join(_KNOWN)}")


def misdirected(each: Object[GatewaySpec], names: Names) -> Iterator[Problem]:
    """A Gateway that no workload listens for."""
    if each.spec.selector and not any(names.pods.anywhere(each.spec.selector)):
        labels = ", ".join(f"{key}={value}" for key, value in each.spec.selector.items())
        text = f"no workload has the labels {labels}, so that nothing listens for this Gateway"
        yield (spec(each) / "selector").problem("MW0206", text, "name the labels of the gateway's pods")
