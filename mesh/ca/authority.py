"""The mesh's certificate authority: one root on disk, and SPIFFE certificates for workloads signed by it.

local opens it when the mesh starts; rotation asks it for certificates, which go to the proxies over SDS. What
it signs has the form of istiod's: ECDSA P-256, no subject, and the identity as the only, critical, subject
alternative name (the SPIFFE X.509-SVID standard).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh.ca.certificate import Certificate, CertificateError
from mesh.ca.keep import Root, load, place, save
from mesh.model.identity import Identity

Clock = Callable[[], datetime]

#: istiod's defaults: a self-signed root lives ten years, a workload's certificate one day.
ROOT_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(hours=24)

#: X.509 counts whole seconds.
SHORTEST_LIFETIME = timedelta(seconds=1)

#: How far back a certificate is valid, for clocks that disagree (istiod's is two minutes).
_SKEW = timedelta(minutes=2)


def now() -> datetime:
    """The time, as the authority's clock wants it."""
    return datetime.now(UTC)


class Authority:
    """Signs for one trust domain. Made by ``Authority.open``; it needs no closing."""

    def __init__(self, root: Root, trust_domain: str, clock: Clock) -> None:
        self._root, self._trust_domain, self._clock = root, trust_domain, clock

    @classmethod
    def open(cls, directory: Path, trust_domain: str = "cluster.local", clock: Clock = now) -> Authority:
        """Load the root that is kept in ``directory``, or make one there.

        Raises CertificateError when what is there is damaged, expired, readable by others or of another trust
        domain.
        """
        root = load(directory)
        if root is None:
            root = _new_root(place(directory), trust_domain, clock())
            save(root)
        _check_expiry(root, clock())
        _check_owner(root, trust_domain)
        return cls(root, trust_domain, clock)

    @property
    def root_pem(self) -> bytes:
        """The root certificate, which everybody in the mesh trusts."""
        return self._root.certificate.public_bytes(Encoding.PEM)

    @property
    def not_after(self) -> datetime:
        """When the root expires, and with it all that it has signed."""
        return self._root.certificate.not_valid_after_utc

    def issue(self, identity: Identity, lifetime: timedelta = LIFETIME, name: str = "") -> Certificate:
        """A new key and certificate for one identity, valid for ``lifetime``, but never longer than the root.

        ``name`` is a DNS name for the holder, which says more than its identity: which of several pods it is.

        Raises CertificateError for an identity of another trust domain, for a lifetime below a second, and
        when the root has expired.
        """
        self._check(identity, lifetime)
        start = self._clock()
        _check_expiry(self._root, start)
        # What is reported is what the certificate says, in whole seconds, and never less than was asked for.
        end = min(_whole_second(start + lifetime), self.not_after)
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _leaf(identity, name, key.public_key(), start, end, self._root)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Certificate(leaf.public_bytes(Encoding.PEM) + self.root_pem, pem, start, end)

    def _check(self, identity: Identity, lifetime: timedelta) -> None:
        if identity.trust_domain != self._trust_domain:
            raise CertificateError(
                f"{identity.spiffe} is not of the trust domain {self._trust_domain!r}, which this authority serves"
            )
        if lifetime < SHORTEST_LIFETIME:
            asked = f"a certificate cannot live only {lifetime.total_seconds():g} s"
            raise CertificateError(f"{asked}: give {SHORTEST_LIFETIME.total_seconds():g} s or more")


def _whole_second(moment: datetime) -> datetime:
    """The first whole second that is not before a moment."""
    return (moment + timedelta(microseconds=999_999)).replace(microsecond=0)


def _new_root(path: Path, trust_domain: str, moment: datetime) -> Root:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, trust_domain)])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _builder(name, name, key.public_key(), moment - _SKEW, moment + ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Root(certificate, key, path)


def _leaf(
    identity: Identity, name: str, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime, root: Root
) -> x509.Certificate:
    named = [x509.DNSName(name)] if name else []
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity.spiffe), *named])
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    issuer = root.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _builder(x509.Name([]), root.certificate.subject, key, start - _SKEW, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True, key_encipherment=True), critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(names, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .sign(root.key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _usage(**granted: bool) -> x509.KeyUsage:
    kinds = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
    )
    every = (*kinds, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{kind: granted.get(kind, False) for kind in every})


def _check_expiry(root: Root, moment: datetime) -> None:
    end = root.certificate.not_valid_after_utc
    if end <= moment:
        raise CertificateError(
            f"the root certificate {root.path} expired at {end:%Y-%m-%d %H:%M:%S} UTC: {_fix(root)}"
        )


def _check_owner(root: Root, trust_domain: str) -> None:
    owner = root.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if [attribute.value for attribute in owner] != [trust_domain]:
        raise CertificateError(
            f"the root {root.path} is not of the trust domain {trust_domain!r}: {_fix(root)}"
        )


def _fix(root: Root) -> str:
    return f"remove {root.path} and start the mesh again to have a new root made"
