"""The API's own TLS: a CA that signs one certificate for 127.0.0.1 and whose key is then thrown away.

kubectl sends no credentials without TLS. Made at the first start, kept in the API's directory, used again
after a restart so that kubeconfigs stay valid. Has nothing to do with the identities of the mesh
(``mesh.ca``).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.local.api.private import write_private

if TYPE_CHECKING:
    from cryptography import x509

LIFETIME = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class Files:
    """Where the PEM files are: what clients trust, what the server shows, and its key."""

    ca: Path
    certificate: Path
    key: Path


def ensure(directory: Path, now: datetime) -> Files:
    """The files, made anew when missing or within a month of their end."""
    files = Files(directory / "ca.crt", directory / "tls.crt", directory / "tls.key")
    paths = (files.ca, files.certificate, files.key)
    if not all(path.is_file() for path in paths) or _age(files.certificate, now) > LIFETIME - RENEWED_BEFORE:
        _make(files, now)
    return files


def _age(path: Path, now: datetime) -> timedelta:
    """By the file's time: reading the certificate would load cryptography (0.1 s, 10 MB) at every start."""
    return timedelta(seconds=now.timestamp() - path.stat().st_mtime)


def _make(files: Files, now: datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def begin(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("meshwright local API CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = (
        begin("meshwright local API CA", ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(_usage(signs=True), True)
        .sign(ca_key, hashes.SHA256())
    )
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    served = (
        begin("meshwright local API", key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_usage(signs=False), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.SubjectAlternativeName(addresses), False)
        .sign(ca_key, hashes.SHA256())
    )
    write_private(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_private(files.certificate, served.public_bytes(Encoding.PEM))
    write_private(files.ca, ca.public_bytes(Encoding.PEM))


def _usage(signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
