"""What a workload shows to prove who it is, and the Envoy secrets that it becomes.

Made by the Authority; sent to proxies over SDS under Istio's names ``default`` and ``ROOTCA``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from envoy.extensions.transport_sockets.tls.v3.secret_pb2 import Secret
from google.protobuf.message import Message


class CertificateError(Exception):
    """A certificate cannot be issued, or the root not be read or kept. Says where and what to do."""


@dataclass(frozen=True)
class Certificate:
    """A workload's certificate with its chain up to the root (PEM, leaf first) and its key (PEM).

    ``not_before`` is when it was issued, ``not_after`` when it expires, both in UTC.
    """

    chain_pem: bytes
    key_pem: bytes = field(repr=False)
    not_before: datetime
    not_after: datetime

    @property
    def half_life(self) -> datetime:
        """When it should be replaced: at half of its validity, so that there is time for a second try."""
        return self.not_before + (self.not_after - self.not_before) / 2


def secrets(certificate: Certificate, root_pem: bytes) -> Mapping[str, Message]:
    """The two secrets that every proxy asks for: its own certificate and the root that it trusts."""
    own = Secret(name="default")
    own.tls_certificate.certificate_chain.inline_bytes = certificate.chain_pem
    own.tls_certificate.private_key.inline_bytes = certificate.key_pem
    trusted = Secret(name="ROOTCA")
    trusted.validation_context.trusted_ca.inline_bytes = root_pem
    return {"default": own, "ROOTCA": trusted}
