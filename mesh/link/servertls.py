"""How a Gateway's server answers TLS: what istiod refuses. Source: istio validation.go, validateTLSOptions and validateServer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.istio.network import GatewayServer, ServerTLS, ServerTLSMode
from mesh.resources.problem import Problem

_TLS: Final = ("HTTPS", "TLS")
_HTTP: Final = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
_MUTUAL: Final = (ServerTLSMode.MUTUAL, ServerTLSMode.OPTIONAL_MUTUAL)
_OWN: Final = (ServerTLSMode.SIMPLE, *_MUTUAL)
_PASSING: Final = (ServerTLSMode.PASSTHROUGH, ServerTLSMode.AUTO_PASSTHROUGH)


def invalid(at: Spot, server: GatewayServer) -> Iterator[Problem]:
    """What istiod refuses, of the server at ``at``."""
    protocol, tls = server.port.protocol.upper(), server.tls
    if protocol in _TLS and tls is None:
        text = f"a server of {protocol} needs tls"
        yield at.problem("MW0302", text, "give tls.mode and a certificate")
    if tls is None:
        return
    if protocol not in _TLS and (protocol not in _HTTP or tls.mode not in _PASSING or _files(tls)):
        text = f"a server of {protocol or 'this protocol'} speaks no TLS"
        yield (at / "tls").problem("MW0302", text, "remove tls, or make the protocol HTTPS")
    yield from _certificates(at / "tls", tls)


def _certificates(at: Spot, tls: ServerTLS) -> Iterator[Problem]:
    named = bool(tls.credential_name or tls.credential_names)
    if tls.mode is ServerTLSMode.ISTIO_MUTUAL:
        if named or _files(tls) or tls.tls_certificates:
            text = "ISTIO_MUTUAL uses the mesh's own certificates"
            yield (at / "mode").problem("MW0302", text, "remove the certificates, or use SIMPLE or MUTUAL")
        return
    files = bool(tls.server_certificate and tls.private_key)
    given = [bool(tls.credential_name), bool(tls.credential_names), bool(tls.tls_certificates), files]
    if sum(given) > 1:
        yield at.problem("MW0302", "the certificate is given in two ways", "keep one of them")
    if tls.mode in _OWN and not named:
        yield from _own(at, tls)
    if tls.ca_crl and (tls.credential_name or tls.mode is ServerTLSMode.SIMPLE) and not named:
        text = "caCrl needs MUTUAL and certificates in files"
        yield (at / "caCrl").problem("MW0302", text, "remove it")


def _own(at: Spot, tls: ServerTLS) -> Iterator[Problem]:
    if tls.mode in _MUTUAL and not tls.ca_certificates:
        text = f"{tls.mode} needs to know whom to trust"
        yield at.problem("MW0302", text, "give caCertificates or credentialName")
    pairs = [(each.server_certificate, each.private_key) for each in tls.tls_certificates]
    for certificate, key in pairs or [(tls.server_certificate, tls.private_key)]:
        if not (certificate and key):
            text = f"{tls.mode} needs a certificate and its key"
            yield at.problem("MW0302", text, "give credentialName, or serverCertificate and privateKey")


def _files(tls: ServerTLS) -> bool:
    return bool(tls.server_certificate or tls.private_key or tls.ca_certificates)
