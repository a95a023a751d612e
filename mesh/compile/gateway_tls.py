"""TLS that a server ends: with which certificate, and whom it lets in.

Source: istiod's BuildListenerTLSContext, ApplyCredentialSDSToServerCommonTLSContext and ApplyToCommonTLSContext.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.extensions.transport_sockets.tls.v3.common_pb2 import CertificateValidationContext, TlsParameters
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import CommonTlsContext, DownstreamTlsContext

from mesh.compile.gateway import Server
from mesh.envoy import tls
from mesh.model.service import Protocol
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import ServerTLS, ServerTLSMode, TLSProtocol

_MODES_WITH_CLIENTS: Final = (ServerTLSMode.MUTUAL, ServerTLSMode.ISTIO_MUTUAL)
_OPTIONAL: Final = ServerTLSMode.OPTIONAL_MUTUAL
#: Those that Envoy knows (istio pkg/config/security ValidCipherSuites).
_CIPHERS: Final = frozenset(
    {
        *(f"ECDHE-{key}-AES{bits}" for key in ("ECDSA", "RSA") for bits in ("128-SHA", "256-SHA")),
        *(f"ECDHE-{key}-AES128-GCM-SHA256" for key in ("ECDSA", "RSA")),
        *(f"ECDHE-{key}-AES256-GCM-SHA384" for key in ("ECDSA", "RSA")),
        *(f"ECDHE-{key}-CHACHA20-POLY1305" for key in ("ECDSA", "RSA")),
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
        "DES-CBC3-SHA",
    }
)


def socket(server: Server, config: MeshConfig) -> TransportSocket | None:
    """None where TLS passes through."""
    given = server.tls
    if given is None or server.passes_through:
        return None
    common = CommonTlsContext(alpn_protocols=_alpn(server, given))
    if given.mode is ServerTLSMode.ISTIO_MUTUAL:
        _identity(common, given)
    elif given.credential_names or given.credential_name:
        _credentials(common, given)
    else:
        _files(common, given)
    if given.mode is not ServerTLSMode.ISTIO_MUTUAL:
        _parameters(common, given, config)
    required = given.mode in _MODES_WITH_CLIENTS
    return tls.socket(
        DownstreamTlsContext(common_tls_context=common, require_client_certificate={"value": required})
    )


def _alpn(server: Server, given: ServerTLS) -> tuple[str, ...]:
    tcp = not server.protocol.is_http and server.protocol is not Protocol.HTTPS
    peers = tcp and given.mode is ServerTLSMode.ISTIO_MUTUAL
    return ("istio-peer-exchange", "h2", "http/1.1") if peers else ("h2", "http/1.1")


def _identity(common: CommonTlsContext, given: ServerTLS) -> None:
    common.tls_certificate_sds_secret_configs.append(tls.secret(tls.IDENTITY))
    _validated(common, _clients(given), tls.secret(tls.ROOT))


def _credentials(common: CommonTlsContext, given: ServerTLS) -> None:
    names = given.credential_names or (given.credential_name,)
    common.tls_certificate_sds_secret_configs.extend(tls.credential(name) for name in names)
    authorities = given.ca_cert_credential_name or f"{names[0]}{tls.CA_SUFFIX}"
    if given.mode in (ServerTLSMode.MUTUAL, _OPTIONAL):
        clients = _clients(given)
        clients.verify_certificate_spki.extend(given.verify_certificate_spki)
        clients.verify_certificate_hash.extend(given.verify_certificate_hash)
        clients.ClearField("crl")
        _validated(common, clients, tls.credential(authorities))
    elif given.subject_alt_names:
        matchers = tls.exactly(given.subject_alt_names)
        common.validation_context.CopyFrom(CertificateValidationContext(match_subject_alt_names=matchers))


def _files(common: CommonTlsContext, given: ServerTLS) -> None:
    pairs = [(each.server_certificate, each.private_key) for each in given.tls_certificates]
    for certificate, key in pairs or [(given.server_certificate, given.private_key)]:
        name = f"file-cert:{certificate}~{key}" if certificate and key else tls.IDENTITY
        common.tls_certificate_sds_secret_configs.append(tls.secret(name))
    if given.mode in (*_MODES_WITH_CLIENTS, _OPTIONAL):
        root = f"file-root:{given.ca_certificates}" if given.ca_certificates else tls.ROOT
        _validated(common, _clients(given), tls.secret(root))


def _clients(given: ServerTLS) -> CertificateValidationContext:
    found = CertificateValidationContext(match_subject_alt_names=tls.exactly(given.subject_alt_names))
    if given.ca_crl:
        found.crl.filename = given.ca_crl
    if given.insecure_skip_verify:
        found.trust_chain_verification = CertificateValidationContext.ACCEPT_UNTRUSTED
    return found


def _validated(common: CommonTlsContext, clients: CertificateValidationContext, root: object) -> None:
    common.combined_validation_context.default_validation_context.CopyFrom(clients)
    common.combined_validation_context.validation_context_sds_secret_config.CopyFrom(root)


def _parameters(common: CommonTlsContext, given: ServerTLS, config: MeshConfig) -> None:
    defaults = config.tls_defaults
    if defaults:
        if defaults.ecdh_curves:
            common.tls_params.ecdh_curves.extend(defaults.ecdh_curves)
        if defaults.min_protocol_version != "TLS_AUTO":
            common.tls_params.tls_minimum_protocol_version = _version(defaults.min_protocol_version)
    ciphers = tuple(_known(given.cipher_suites)) or (defaults.cipher_suites if defaults else ())
    if ciphers:
        common.tls_params.cipher_suites.extend(ciphers)
    if given.min_protocol_version is not TLSProtocol.TLS_AUTO:
        common.tls_params.tls_minimum_protocol_version = _version(given.min_protocol_version)
    if given.max_protocol_version is not TLSProtocol.TLS_AUTO:
        common.tls_params.tls_maximum_protocol_version = _version(given.max_protocol_version)


def _known(ciphers: Iterable[str]) -> Iterable[str]:
    """Each once; what is no letter or digit at the start is an expression of Envoy's own."""
    unique = dict.fromkeys(ciphers)
    return (each for each in unique if not each or each == "ALL" or not each[0].isalnum() or each in _CIPHERS)


def _version(name: str) -> int:
    """``TLSV1_2`` as Envoy numbers it."""
    return int(TlsParameters.TlsProtocol.Value(name.replace("TLSV", "TLSv")))
