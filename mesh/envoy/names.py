"""How istiod names clusters, and what the other side of a connection is told about them."""

from __future__ import annotations

from typing import Final

BLACK_HOLE: Final = "BlackHoleCluster"
PASSTHROUGH: Final = "PassthroughCluster"
INBOUND_PASSTHROUGH: Final = "InboundPassthroughCluster"


def outbound(port: int, subset: str, host: str) -> str:
    """``outbound|50051|v2|catalog.shop.svc.cluster.local``."""
    return f"outbound|{port}|{subset}|{host}"


def inbound(port: int) -> str:
    """``inbound|50051||``: the application's own port."""
    return f"inbound|{port}||"


def server_name(port: int, subset: str, host: str) -> str:
    """The SNI by which a sidecar asks for a cluster: no ``|``, which is not allowed in a DNS name."""
    return f"outbound_.{port}_.{subset}_.{host}"


def stat(name: str) -> str:
    """Names in statistics end in ``;``, by which Istio's stats matcher finds where they end."""
    return f"{name};"


def at_port(host: str, port: int) -> str:
    return f"{host}:{port}"
