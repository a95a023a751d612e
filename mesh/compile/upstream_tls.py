"""Which TLS a cluster speaks: what its DestinationRule says, else mutual TLS to every endpoint that has a sidecar.

Source: istiod's buildUpstreamTLSSettings and applyUpstreamTLSSettings.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import TransportSocket

from mesh.envoy import tls
from mesh.envoy.metadata import struct
from mesh.resources.istio.destinationrule import ClientTLS, TLSMode
from mesh.resources.istio.security import MutualTLS

#: The modes that speak TLS of the user's own, about which the other side's sidecar knows nothing.
OWN = (TLSMode.SIMPLE, TLSMode.MUTUAL)


def apply(
    cluster: Cluster,
    given: ClientTLS | None,
    assumed: MutualTLS | None,
    server_name: str,
    identities: Sequence[str],
    http2: bool,
) -> None:
    """Set the transport sockets of a cluster.

    ``assumed`` is the mode of the service's namespace, None outside the mesh; ``identities`` are the SPIFFE URIs
    that may answer.
    """
    if given is None:
        if assumed in (MutualTLS.PERMISSIVE, MutualTLS.STRICT):
            _detected(cluster, tls.client(server_name, identities, http2))
    elif given.mode is TLSMode.ISTIO_MUTUAL:
        cluster.transport_socket.CopyFrom(tls.client(given.sni or server_name, identities, http2))
    elif given.mode is TLSMode.SIMPLE:
        cluster.transport_socket.CopyFrom(tls.simple_client(given.sni, http2))


def _detected(cluster: Cluster, socket: TransportSocket) -> None:
    """Mutual TLS where the endpoint's metadata says that it can, else plaintext. An address that the caller chose has no
    metadata, so that it gets what its namespace is assumed to speak."""
    if cluster.type == Cluster.ORIGINAL_DST:
        cluster.transport_socket.CopyFrom(socket)
        return
    cluster.transport_socket_matches.add(
        name="tlsMode-istio", match=struct({"tlsMode": "istio"}), transport_socket=socket
    )
    cluster.transport_socket_matches.add(name="tlsMode-disabled", match={}, transport_socket=tls.plaintext())
