"""The authority keeps one root and signs identities as istiod does."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from mesh.ca.authority import ROOT_LIFETIME, Authority
from mesh.ca.certificate import Certificate, CertificateError, secrets
from mesh.model.identity import Identity

CATALOG = Identity("shop", "catalog")
MOMENT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def _open(directory: Path, moment: datetime = MOMENT, trust_domain: str = "cluster.local") -> Authority:
    return Authority.open(directory, trust_domain, lambda: moment)


def _leaf(certificate: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificates(certificate.chain_pem)[0]


def _verify(authority: Authority, certificate: Certificate, moment: datetime) -> None:
    roots = Store(x509.load_pem_x509_certificates(authority.root_pem))
    PolicyBuilder().store(roots).time(moment).build_client_verifier().verify(_leaf(certificate), [])


def test_the_identity_is_the_only_name_and_critical(tmp_path: Path) -> None:
    leaf = _leaf(_open(tmp_path).issue(CATALOG))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    assert [name.value for name in names.value] == ["spiffe://cluster.local/ns/shop/sa/catalog"]
    assert leaf.subject == x509.Name([])


def test_a_holder_may_be_named_beside_its_identity(tmp_path: Path) -> None:
    leaf = _leaf(_open(tmp_path).issue(CATALOG, name="catalog-v1-x.shop"))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        "spiffe://cluster.local/ns/shop/sa/catalog"
    ]
    assert names.get_values_for_type(x509.DNSName) == ["catalog-v1-x.shop"]


def test_the_key_is_that_of_the_certificate_and_on_p256(tmp_path: Path) -> None:
    certificate = _open(tmp_path).issue(CATALOG)
    key = load_pem_private_key(certificate.key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.curve.name == "secp256r1"
    assert key.public_key() == _leaf(certificate).public_key()


def test_it_is_trusted_until_it_expires_and_no_longer(tmp_path: Path) -> None:
    authority = _open(tmp_path)
    certificate = authority.issue(CATALOG, timedelta(hours=1))
    assert certificate.not_after == MOMENT.replace(microsecond=0) + timedelta(hours=1, seconds=1)
    _verify(authority, certificate, certificate.not_after)
    with pytest.raises(VerificationError):
        _verify(authority, certificate, certificate.not_after + timedelta(seconds=1))


def test_another_authority_does_not_trust_it(tmp_path: Path) -> None:
    certificate = _open(tmp_path / "one").issue(CATALOG)
    with pytest.raises(VerificationError):
        _verify(_open(tmp_path / "two"), certificate, MOMENT)


def test_the_half_life_lies_in_the_middle() -> None:
    certificate = Certificate(b"", b"", MOMENT, MOMENT + timedelta(hours=24))
    assert certificate.half_life == MOMENT + timedelta(hours=12)


def test_a_certificate_never_outlives_its_root(tmp_path: Path) -> None:
    _open(tmp_path)
    late = MOMENT + ROOT_LIFETIME - timedelta(hours=1)
    assert _open(tmp_path, late).issue(CATALOG).not_after < MOMENT + ROOT_LIFETIME


def test_the_root_is_kept_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = _open(tmp_path / "ca").root_pem
    assert _open(tmp_path / "ca").root_pem == first
    (path,) = (tmp_path / "ca").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_draft_left_by_a_killed_process_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "root.draft").write_text("half of a ke")
    assert _open(tmp_path).root_pem == _open(tmp_path).root_pem


def test_a_root_that_others_can_read_is_refused(tmp_path: Path) -> None:
    _open(tmp_path)
    (tmp_path / "root.pem").chmod(0o644)
    with pytest.raises(CertificateError, match="can be read by others: `chmod 600"):
        _open(tmp_path)


def test_a_damaged_root_is_refused_not_replaced(tmp_path: Path) -> None:
    _open(tmp_path)
    path = tmp_path / "root.pem"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(CertificateError, match="is damaged"):
        _open(tmp_path)


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _open(tmp_path / name)
    one, two = ((tmp_path / name / "root.pem").read_bytes() for name in ("one", "two"))
    marker = b"-----BEGIN PRIVATE KEY-----"
    (tmp_path / "one" / "root.pem").write_bytes(one.split(marker)[0] + marker + two.split(marker)[1])
    with pytest.raises(CertificateError, match="not that of its certificate"):
        _open(tmp_path / "one")


def test_an_expired_root_is_refused(tmp_path: Path) -> None:
    _open(tmp_path)
    with pytest.raises(CertificateError, match=r"expired at 2036-02-27 12:00:00 UTC: remove"):
        _open(tmp_path, MOMENT + ROOT_LIFETIME)


def test_a_root_that_expires_while_it_is_open_signs_no_more(tmp_path: Path) -> None:
    moments = iter([MOMENT, MOMENT, MOMENT + ROOT_LIFETIME])
    authority = Authority.open(tmp_path, clock=lambda: next(moments))
    with pytest.raises(
        CertificateError, match=r"expired at 2036-02-27 12:00:00 UTC: remove .* start the mesh again"
    ):
        authority.issue(CATALOG)


@pytest.mark.parametrize("seconds", [-1, 0, 0.5, 0.999])
def test_a_lifetime_below_a_second_is_refused(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(CertificateError, match=f"cannot live only {seconds:g} s: give 1 s or more"):
        _open(tmp_path).issue(CATALOG, timedelta(seconds=seconds))


def test_the_shortest_certificate_lives_at_least_a_second(tmp_path: Path) -> None:
    certificate = _open(tmp_path).issue(CATALOG, timedelta(seconds=1))
    assert certificate.not_after - MOMENT >= timedelta(seconds=1)


def test_the_root_of_another_trust_domain_is_refused(tmp_path: Path) -> None:
    _open(tmp_path)
    with pytest.raises(CertificateError, match=r"not of the trust domain 'other\.org'"):
        _open(tmp_path, trust_domain="other.org")


def test_it_signs_for_no_other_trust_domain(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="is not of the trust domain"):
        _open(tmp_path).issue(replace(CATALOG, trust_domain="other.org"))


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CertificateError, match="file"):
        _open(tmp_path / "file")


def test_the_secrets_have_the_names_that_istio_gives_them(tmp_path: Path) -> None:
    authority = _open(tmp_path)
    made = secrets(authority.issue(CATALOG), authority.root_pem)
    assert list(made) == ["default", "ROOTCA"]


def test_a_key_is_never_printed(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(_open(tmp_path).issue(CATALOG))
