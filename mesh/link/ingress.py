"""A Sidecar's ingress listeners: what istiod refuses. Source: istio validation.go, ValidateSidecar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.link import connectionpool
from mesh.link.hosts import is_address, is_label
from mesh.link.spot import Spot
from mesh.resources.istio.network import GatewayPort, IngressListener
from mesh.resources.problem import Problem

_OWN: Final = ("", "127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104 - Istio's own list
PROTOCOLS: Final = (
    "HTTP",
    "HTTP2",
    "GRPC",
    "GRPC-WEB",
    "HTTPS",
    "TLS",
    "TCP",
    "UDP",
    "MONGO",
    "REDIS",
    "MYSQL",
)
_SOCKET: Final = "unix://"


def invalid(at: Spot, listeners: Sequence[IngressListener]) -> Iterator[Problem]:
    """What istiod refuses, of the list at ``at``."""
    seen: set[int] = set()
    for i, listener in enumerate(listeners):
        here = at / i
        if listener.port == GatewayPort():
            yield here.problem("MW0302", "this listener has no port", "give port with number and protocol")
            continue
        yield from _port(here / "port", listener.port)
        if listener.port.number in seen:
            text = f"port {listener.port.number} has a listener already"
            yield (here / "port" / "number").problem("MW0203", text, "remove one")
        seen.add(listener.port.number)
        if listener.bind and not is_address(listener.bind):
            yield (here / "bind").problem(
                "MW0310", f"{listener.bind!r} is not an IP address", "as in 0.0.0.0"
            )
        if not _is_own(listener.default_endpoint):
            text = f"{listener.default_endpoint!r} is not a port of the application"
            yield (here / "defaultEndpoint").problem("MW0310", text, "as in 127.0.0.1:8080")
        if listener.tls is not None:
            text = (
                "Istio ignores the tls of a Sidecar's listener, unless ENABLE_TLS_ON_SIDECAR_INGRESS is set"
            )
            yield (here / "tls").problem("MW0106", text, "remove it; callers in the mesh use mutual TLS")
        yield from connectionpool.invalid(here / "connectionPool", listener.connection_pool)


def _port(at: Spot, port: GatewayPort) -> Iterator[Problem]:
    if not 0 < port.number < 65536:
        yield (at / "number").problem("MW0304", f"{port.number} is not a port", "use 1 to 65535")
    if port.protocol and port.protocol.upper() not in PROTOCOLS:
        text = f"{port.protocol!r} is not a protocol"
        yield (at / "protocol").problem("MW0308", text, f"use one of: {', '.join(PROTOCOLS)}")
    if port.name and not is_label(port.name):
        text, fix = f"{port.name!r} cannot name a port", "use letters, digits and dashes"
        yield (at / "name").problem("MW0310", text, fix)
    if port.target_port:
        yield (at / "targetPort").problem("MW0302", "targetPort does nothing in a Sidecar", "remove it")


def _is_own(endpoint: str) -> bool:
    """Whether an endpoint is this pod's: ``127.0.0.1:PORT`` and the like, a socket's path, or left to the default."""
    if not endpoint or endpoint.startswith((f"{_SOCKET}/", f"{_SOCKET}@")):
        return True
    host, colon, port = endpoint.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    return bool(colon) and bare in _OWN and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536
