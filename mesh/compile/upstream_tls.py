"""Which TLS a cluster speaks: what its DestinationRule says, else mutual TLS to every endpoint that has a sidecar.

Source: istiod's buildUpstreamTLSSettings and applyUpstreamTLSSettings; what a rule makes of its own TLS is in ``origination``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import TransportSocket

from mesh.compile import origination
from mesh.envoy import tls
from mesh.envoy.metadata import struct
from mesh.resources.istio.destinationrule import ClientTLS, TLSMode
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.security import MutualTLS


@dataclass(frozen=True)
class Upstream:
    """What a cluster's TLS depends on.

    ``assumed`` is the mode of the service's namespace, None outside the mesh; ``identities`` are the SPIFFE URIs, or for
    a ServiceEntry the names, that may answer; ``credentials`` says whether the proxy may ask for Secrets.
    """

    given: ClientTLS | None
    assumed: MutualTLS | None
    server_name: str
    identities: Sequence[str]
    http2: bool
    entry: bool
    credentials: bool
    config: MeshConfig
    local: bool

    @property
    def own(self) -> ClientTLS | None:
        """TLS of the user's own, about which the other side's sidecar knows nothing; None when it cannot be set up."""
        if self.given is None or self.given.mode not in (TLSMode.SIMPLE, TLSMode.MUTUAL):
            return None
        secret = self.given.credential_name
        return (
            None if secret and not secret.startswith("configmap://") and not self.credentials else self.given
        )


def apply(cluster: Cluster, upstream: Upstream) -> None:
    """Set the transport sockets of a cluster whose type is final."""
    given, config = upstream.given, upstream.config
    if given is None:
        if config.enable_auto_mtls and upstream.assumed in (MutualTLS.PERMISSIVE, MutualTLS.STRICT):
            _detected(
                cluster, tls.client(upstream.server_name, upstream.identities, upstream.http2, upstream.local)
            )
    elif given.mode is TLSMode.ISTIO_MUTUAL:
        names = given.subject_alt_names or upstream.identities
        cluster.transport_socket.CopyFrom(
            tls.client(given.sni or upstream.server_name, names, upstream.http2, upstream.local)
        )
    elif own := upstream.own:
        names = upstream.identities if upstream.entry else ()
        cluster.transport_socket.CopyFrom(origination.socket(own, names, upstream.http2, config))


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
