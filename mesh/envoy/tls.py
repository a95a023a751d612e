"""TLS between sidecars: certificates over SDS, and who the other side must be.

Used by compile for clusters (client) and listeners (server). The secrets named here, ``default`` and
``ROOTCA``, are served by the control plane's SDS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from envoy.config.core.v3.base_pb2 import RetryPolicy, TransportSocket
from envoy.config.core.v3.config_source_pb2 import ApiConfigSource, ApiVersion, ConfigSource
from envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import TlsParameters
from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import SdsSecretConfig
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import (
    CommonTlsContext,
    DownstreamTlsContext,
    UpstreamTlsContext,
)
from envoy.type.matcher.v3.string_pb2 import StringMatcher
from google.protobuf.json_format import ParseDict

from mesh.envoy.bootstrap import RECONNECT
from mesh.envoy.typed import extension

IDENTITY: Final = "default"
ROOT: Final = "ROOTCA"
#: Istio's, in its order (pilot/pkg/security/authn/utils SupportedCiphers).
CIPHERS: Final = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
)
#: Istio's lowest and highest version.
VERSIONS: Final = {
    "tls_minimum_protocol_version": TlsParameters.TLSv1_2,
    "tls_maximum_protocol_version": TlsParameters.TLSv1_3,
}
#: A credential's authorities stand beside it under its name and this.
CA_SUFFIX: Final = "-cacert"
#: As the bootstrap has it for everything else.
_RECONNECT: Final = ParseDict(RECONNECT, RetryPolicy())
_SOCKET: Final = "envoy.transport_sockets.tls"
_BUILTIN, _KUBERNETES, _EXTERNAL = "builtin://", "kubernetes://", "sds://"


def secret(name: str, local: bool = False) -> SdsSecretConfig:
    """A secret by name, from the SDS server beside the proxy. Nothing starts before it has an identity; a file may be missing.

    ``local``: that server is the control plane, which may go and come back; on a cluster it is Istio's agent, which stays.
    """
    source = ConfigSource(
        api_config_source={
            "api_type": ApiConfigSource.GRPC,
            "transport_api_version": ApiVersion.V3,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}],
            "set_node_on_first_message_only": True,
        },
        resource_api_version=ApiVersion.V3,
    )
    if name in (IDENTITY, ROOT):
        source.initial_fetch_timeout.FromTimedelta(timedelta(0))
    if local:
        source.api_config_source.grpc_services[0].envoy_grpc.retry_policy.CopyFrom(_RECONNECT)
    return SdsSecretConfig(name=name, sds_config=source)


def credential(name: str) -> SdsSecretConfig:
    """A ``credentialName``: a Secret of the cluster, from the control plane. Source: istiod's ConstructSdsSecretConfigForCredential."""
    if name == _BUILTIN:
        return secret(IDENTITY)
    if name == f"{_BUILTIN}{CA_SUFFIX}":
        return secret(ROOT)
    name = name.removeprefix(_EXTERNAL)
    source = ConfigSource(ads={}, resource_api_version=ApiVersion.V3)
    kept = name.startswith(("configmap://", _KUBERNETES, "kubernetes-gateway://"))
    return SdsSecretConfig(name=name if kept else f"{_KUBERNETES}{name}", sds_config=source)


def _common(
    alpn: Sequence[str], matches: list[StringMatcher], ciphers: Iterable[str], local: bool
) -> CommonTlsContext:
    return CommonTlsContext(
        tls_params={**VERSIONS, "cipher_suites": ciphers},
        tls_certificate_sds_secret_configs=[secret(IDENTITY, local)],
        combined_validation_context={
            "default_validation_context": {"match_subject_alt_names": matches},
            "validation_context_sds_secret_config": secret(ROOT, local),
        },
        alpn_protocols=alpn,
    )


def exactly(names: Iterable[str]) -> list[StringMatcher]:
    """Matchers for subject alternative names."""
    return [StringMatcher(exact=each) for each in names]


def client(sni: str, identities: Iterable[str], http2: bool, local: bool = False) -> TransportSocket:
    """Mutual TLS to a service whose workloads have one of ``identities`` (SPIFFE URIs)."""
    alpn = ("istio", "h2") if http2 else ("istio",)
    common = _common(alpn, exactly(identities), (), local)
    return socket(UpstreamTlsContext(common_tls_context=common, sni=sni))


def socket(context: UpstreamTlsContext | DownstreamTlsContext) -> TransportSocket:
    return TransportSocket(**extension(_SOCKET, context))


def server(trust_domains: Iterable[str], local: bool = False) -> TransportSocket:
    """Mutual TLS that asks every caller for a certificate of one of ``trust_domains``."""
    matches = [StringMatcher(prefix=f"spiffe://{domain}/") for domain in trust_domains]
    return socket(
        DownstreamTlsContext(
            common_tls_context=_common(("h2", "http/1.1"), matches, CIPHERS, local),
            require_client_certificate={"value": True},
        )
    )


def plaintext() -> TransportSocket:
    return TransportSocket(**extension("envoy.transport_sockets.raw_buffer", RawBuffer()))
