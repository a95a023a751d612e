"""Every way in which a certificate can be wrong, made by real authorities. ``mine`` is the mesh's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from mesh.ca.authority import Authority, now
from mesh.ca.certificate import Certificate
from mesh.ca.keep import Root, load
from mesh.model.identity import Identity

OTHER = "other.example"
DAY = timedelta(days=1)


def of_another_root(mine: Path, who: Identity) -> Certificate:
    return Authority.open(mine.with_name("another")).issue(who)


def of_another_mesh(mine: Path, who: Identity) -> Certificate:
    """Another root and another trust domain."""
    return Authority.open(mine.with_name("another"), OTHER).issue(_moved(who))


def of_another_trust_domain(mine: Path, who: Identity) -> Certificate:
    """Though signed by the mesh's own root."""
    return Authority(_root(mine), OTHER, now).issue(_moved(who))


def expired(mine: Path, who: Identity) -> Certificate:
    return Authority.open(mine, clock=lambda: now() - DAY).issue(who, DAY / 2)


def of_another_workload(mine: Path, who: Identity) -> Certificate:
    return Authority.open(mine).issue(Identity(who.namespace, "somebody-else", who.trust_domain))


def _moved(who: Identity) -> Identity:
    return Identity(who.namespace, who.service_account, OTHER)


def _root(directory: Path) -> Root:
    root = load(directory)
    assert root is not None
    return root
