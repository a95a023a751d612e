"""The root's certificate and key on disk: one file, so that both are there or neither.

Used by the Authority. The file is written beside itself and renamed, with mode 0600 from its first byte.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from mesh.ca.certificate import CertificateError

_NAME = "root.pem"


@dataclass(frozen=True)
class Root:
    """The certificate that everybody trusts, the key that signs, and the file that has both."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    path: Path = Path(_NAME)


def place(directory: Path) -> Path:
    """The file in a directory that is the root's."""
    return directory / _NAME


def load(directory: Path) -> Root | None:
    """What is kept in a directory, or None. Raises CertificateError when it is damaged or open to others."""
    path = place(directory)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertificateError(f"the root key {path} cannot be read: {error.strerror}") from error
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise CertificateError(f"the root key {path} can be read by others: `chmod 600 {path}`, or remove it")
    return _parse(content, path)


def _parse(content: bytes, path: Path) -> Root:
    try:
        certificate = x509.load_pem_x509_certificate(content)
        key = load_pem_private_key(content, password=None)
    except ValueError as error:
        raise CertificateError(f"{path} is damaged ({error}): remove it to have a new root made") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateError(
            f"the key in {path} is not that of its certificate: remove it to have a new root made"
        )
    return Root(certificate, key, path)


def save(root: Root) -> None:
    """Write a root's file and make its directory when needed. Raises CertificateError when it cannot be."""
    pem = root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        root.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(root.path, root.certificate.public_bytes(Encoding.PEM) + pem)
    except OSError as error:
        raise CertificateError(f"the root key cannot be kept as {root.path}: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
