"""How calls to a host are encrypted: what istiod refuses. Source: istio validation/agent, ValidateTLS."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.spot import Spot
from mesh.resources.istio.destinationrule import ClientTLS, TLSMode
from mesh.resources.problem import Problem


def invalid(at: Spot, tls: ClientTLS | None) -> Iterator[Problem]:
    """What istiod refuses."""
    if tls is None:
        return
    own = tls.client_certificate and tls.private_key
    named = bool(tls.credential_name) and tls.mode in (TLSMode.SIMPLE, TLSMode.MUTUAL)
    if tls.mode is TLSMode.MUTUAL and not own and not named:
        text = "MUTUAL needs a certificate of one's own"
        fix = "inside the mesh use ISTIO_MUTUAL; else give clientCertificate and privateKey"
        yield (at / "mode").problem("MW0302", text, fix)
    files = tls.client_certificate or tls.private_key or tls.ca_certificates or tls.ca_crl
    if named and files:
        text = "credentialName and files cannot stand together"
        yield (at / "credentialName").problem("MW0302", text, "keep one")
    if tls.insecure_skip_verify and _verified(tls):
        text = "insecureSkipVerify cannot stand with what it would verify"
        yield (at / "insecureSkipVerify").problem("MW0302", text, "remove it, which is safer, or the rest")


def _verified(tls: ClientTLS) -> bool:
    """Whether the settings say whom to trust."""
    trusted = bool(tls.ca_certificates or tls.subject_alt_names)
    simple = tls.mode is TLSMode.SIMPLE
    return (trusted and tls.mode is TLSMode.MUTUAL) or (simple and (trusted or bool(tls.credential_name)))
