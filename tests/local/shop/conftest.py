"""The running shop, put back after each test; at the end nothing of it is left but .mesh/logs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.project import Project, until
from tests.scenarios.local import Local, project


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/local/shop/" in str(item.fspath):
            item.add_marker(pytest.mark.xdist_group("shop"))


@pytest.fixture(scope="session")
def folder() -> Iterator[Project]:
    """Where the shop runs, as a user has it."""
    root = Path(tempfile.mkdtemp(prefix="shop-"))
    shop = Project(project(root / "p"))
    names = {p.name for p in shop.folder.iterdir()}
    try:
        done = shop.mesh("up", "--detach", timeout=120)
        assert done.code == 0, done.text
        yield shop
    finally:
        assert shop.mesh("down").code == 0
        until(lambda: not shop.processes(), "nothing of the mesh runs", 10)
        assert {p.name for p in shop.folder.iterdir()} == names | {".mesh"}
        assert {p.name for p in (shop.folder / ".mesh").iterdir()} == {"logs"}
        shutil.rmtree(root)


@pytest.fixture
def shop(folder: Project) -> Iterator[Local]:
    """The shop through its Kubernetes API, and clients at any workload's place."""
    engine = Local(folder.folder / ".mesh" / "kubeconfig", folder=folder.folder)
    yield engine
    engine.restore()
    engine.close()
