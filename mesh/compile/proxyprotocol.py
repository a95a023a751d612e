"""The PROXY protocol, by which an upstream learns who really called. Source: istiod's applyUpstreamProxyProtocol."""

from __future__ import annotations

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.config.core.v3.proxy_protocol_pb2 import ProxyProtocolConfig
from envoy.extensions.transport_sockets.proxy_protocol.v3.upstream_proxy_protocol_pb2 import (
    ProxyProtocolUpstreamTransport,
)

from mesh.envoy import tls
from mesh.envoy.typed import extension
from mesh.resources.istio.destinationrule import ProxyProtocol, ProxyProtocolVersion

_NAME = "envoy.transport_sockets.upstream_proxy_protocol"


def apply(cluster: Cluster, given: ProxyProtocol | None) -> None:
    """Wrap each transport socket of a cluster."""
    if given is None:
        return
    if not cluster.transport_socket_matches:
        inner = cluster.transport_socket if cluster.HasField("transport_socket") else _plaintext()
        cluster.transport_socket.CopyFrom(_wrapped(inner, given))
    for match in cluster.transport_socket_matches:
        match.transport_socket.CopyFrom(_wrapped(match.transport_socket, given))


def _plaintext() -> TransportSocket:
    """As istiod names it where nothing else is there."""
    made = TransportSocket()
    made.CopyFrom(tls.plaintext())
    made.name = "raw_buffer"
    return made


def _wrapped(inner: TransportSocket, given: ProxyProtocol) -> TransportSocket:
    v2 = given.version is ProxyProtocolVersion.V2
    config = ProxyProtocolConfig(version=ProxyProtocolConfig.V2 if v2 else ProxyProtocolConfig.V1)
    wrapped = ProxyProtocolUpstreamTransport(config=config, transport_socket=inner)
    return TransportSocket(**extension(_NAME, wrapped))
