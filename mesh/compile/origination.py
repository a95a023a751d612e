"""TLS that a DestinationRule starts to a server outside the mesh: SIMPLE, or MUTUAL with a certificate of the user's own.

Source: istiod's constructUpstreamTLS and ApplyCustomSDSToClientCommonTLSContext.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext, UpstreamTlsContext
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from mesh.envoy import tls
from mesh.resources.istio.destinationrule import ClientTLS, TLSMode
from mesh.resources.istio.meshconfig import MeshConfig, TLSDefaults


def socket(given: ClientTLS, names: Sequence[str], http2: bool, config: MeshConfig) -> TransportSocket:
    """``names`` may answer when the rule itself names nobody."""
    common = CommonTlsContext(tls_params=tls.VERSIONS, alpn_protocols=("h2",) if http2 else ())
    trusted = tls.exactly(given.subject_alt_names or names)
    if given.credential_name:
        _from_secret(common, given, trusted)
    else:
        _from_files(common, given, trusted)
    defaults = config.tls_defaults or TLSDefaults()
    common.tls_params.ecdh_curves.extend(defaults.ecdh_curves)
    common.tls_params.cipher_suites.extend(defaults.cipher_suites)
    return tls.socket(UpstreamTlsContext(common_tls_context=common, sni=given.sni))


def auto_sni(given: ClientTLS | None) -> bool:
    """Whether the server name is the request's own host."""
    return given is not None and not given.sni


def auto_san(given: ClientTLS | None) -> bool:
    """Whether the certificate must be for the request's own host."""
    return given is not None and not (given.sni or given.subject_alt_names or given.insecure_skip_verify)


def _from_secret(common: CommonTlsContext, given: ClientTLS, trusted: list[StringMatcher]) -> None:
    if given.mode is TLSMode.MUTUAL:
        common.tls_certificate_sds_secret_configs.append(tls.credential(given.credential_name))
    if not given.insecure_skip_verify:
        found = common.combined_validation_context
        found.default_validation_context.match_subject_alt_names.extend(trusted)
        found.validation_context_sds_secret_config.CopyFrom(
            tls.credential(f"{given.credential_name}{tls.CA_SUFFIX}")
        )


def _from_files(common: CommonTlsContext, given: ClientTLS, trusted: list[StringMatcher]) -> None:
    """Files of the pod, which its agent serves, so that they may be rotated."""
    if given.mode is TLSMode.MUTUAL:
        name = f"file-cert:{given.client_certificate}~{given.private_key}"
        common.tls_certificate_sds_secret_configs.append(tls.secret(name))
    if given.insecure_skip_verify:
        common.validation_context.SetInParent()
        return
    found = common.combined_validation_context
    found.default_validation_context.match_subject_alt_names.extend(trusted)
    found.default_validation_context.SetInParent()
    if given.ca_crl:
        found.default_validation_context.crl.filename = given.ca_crl
    authorities = tls.secret(f"file-root:{given.ca_certificates or 'system'}")
    found.validation_context_sds_secret_config.CopyFrom(authorities)
