"""A cluster refuses the mistakes that mesh check calls errors, but for those that the tables mark; and takes what is right."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pure.link.cases import HERE, Case, cases

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
NAMESPACE = f"mesh-check-{secrets.token_hex(3)}"
FILES = [HERE / "right.yaml", *sorted((HERE / "mistakes").glob("*.yaml"))]
_CREATED = re.compile(r"^([a-z]+)\S*/(\S+) created", re.MULTILINE)
_NAMED = re.compile(r"^kind: (\w+).*\nmetadata:(?: \{|\n  )name: ([^,}\n]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace to try objects in; nothing is made there."""
    command = ["kubectl", "create", "namespace", NAMESPACE]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    yield NAMESPACE
    command = ["kubectl", "delete", "namespace", NAMESPACE, "--wait=false"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def _taken(text: str) -> set[tuple[str, str]]:
    """(kind, name) of the objects that the API server and istiod's webhook would take."""
    command = ["kubectl", "create", "--dry-run=server", "--filename", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=100, check=False)
    return set(_CREATED.findall(done.stdout))


def _objects(case: Case) -> list[tuple[str, str]]:
    return [(kind.lower(), name) for kind, name in _NAMED.findall(case.text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_cluster_refuses_the_same(path: Path, namespace: str) -> None:
    taken = _taken(re.sub(r"\bshop\b", namespace, path.read_text()))
    found = {case.name: {each in taken for each in _objects(case)} for case in cases(path)}
    assert found == {case.name: {case.taken} for case in cases(path)}
