"""Nobody talks to a workload without a certificate of the mesh: seen from outside of it, at the port where its sidecar listens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from mesh.ca.authority import Authority, now
from mesh.ca.certificate import Certificate
from mesh.ca.keep import Root
from mesh.model.identity import Identity
from tests.scenarios.conftest import LOCALLY
from tests.scenarios.engine import Engine

MESH, OTHER = "cluster.local", "other.example"
DAY = timedelta(days=1)


def of(authority: Authority, domain: str = MESH) -> Certificate:
    return authority.issue(Identity("shop", "orders", domain), DAY)


def genuine(root: Root, folder: Path) -> Certificate:
    return of(Authority(root, MESH, now))


def of_another_root(root: Root, folder: Path) -> Certificate:
    return of(Authority.open(folder, MESH))


def of_another_mesh(root: Root, folder: Path) -> Certificate:
    return of(Authority.open(folder, OTHER), OTHER)


def of_another_trust_domain(root: Root, folder: Path) -> Certificate:
    return of(Authority(root, OTHER, now), OTHER)


def expired(root: Root, folder: Path) -> Certificate:
    return of(Authority(root, MESH, lambda: now() - 2 * DAY))


@pytest.mark.parametrize("running", LOCALLY, indirect=True)
def test_certificates_are_replaced_under_load_and_no_call_fails(running: Engine) -> None:
    """They live for 10 s there. On a cluster their lifetime is istiod's."""
    first = running.certificates()
    with running.at("orders").load("catalog", "GetProduct", {"id": "mug"}, seconds=40) as answers:
        running.until(lambda: not first & running.certificates(), "all certificates are others", 20)
        second = running.certificates()
        running.until(lambda: not second & running.certificates(), "and others again", 20)
    assert len(answers) > 100
    assert [a for a in answers if not a.ok] == []


def test_plaintext_is_refused(engine: Engine) -> None:
    assert engine.knock("payments", None) == "refused"


@pytest.mark.parametrize(
    ("make", "became"),
    [
        (genuine, "answered"),
        (of_another_root, "refused"),
        (of_another_mesh, "refused"),
        (of_another_trust_domain, "refused"),
        (expired, "refused"),
    ],
)
def test_a_certificate_is_looked_at(
    engine: Engine, tmp_path: Path, make: Callable[[Root, Path], Certificate], became: str
) -> None:
    assert engine.knock("payments", make(engine.root(), tmp_path)) == became
