"""Where a Sidecar's egress listener listens: what istiod refuses. Source: validateSidecarEgressPortBindAndCaptureMode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.hosts import is_address
from mesh.link.ingress import PROTOCOLS
from mesh.link.spot import Spot
from mesh.resources.istio.network import CaptureMode, EgressListener
from mesh.resources.problem import Problem

_SOCKET: Final = "unix://"
_KNOWN: Final = (*PROTOCOLS, "HTTP_PROXY")


def invalid(at: Spot, listener: EgressListener) -> Iterator[Problem]:
    """Of the listener at ``at``."""
    port = listener.port
    if port is None:
        return
    if port.protocol and port.protocol.upper() not in _KNOWN:
        text = f"{port.protocol!r} is not a protocol"
        yield (at / "port" / "protocol").problem("MW0308", text, f"use one of: {', '.join(_KNOWN)}")
    if port.target_port:
        text = "targetPort does nothing in a Sidecar"
        yield (at / "port" / "targetPort").problem("MW0302", text, "remove it")
    if port.number == 0:
        yield from _socket(at, listener)
    elif not port.number < 65536:
        yield (at / "port" / "number").problem("MW0304", f"{port.number} is not a port", "use 1 to 65535")
    elif listener.bind and not is_address(listener.bind):
        yield (at / "bind").problem("MW0310", f"{listener.bind!r} is not an IP address", "as in 127.0.0.1")


def _socket(at: Spot, listener: EgressListener) -> Iterator[Problem]:
    if not listener.bind.startswith(_SOCKET):
        text = "a listener without a port number is a Unix socket"
        yield (at / "bind").problem("MW0310", text, "as in unix:///run/shop.sock, or give port.number")
    if listener.capture_mode is CaptureMode.IPTABLES:
        text = "nothing is captured for a Unix socket"
        yield (at / "captureMode").problem("MW0302", text, "use NONE")
