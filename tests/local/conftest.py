"""A small project a test; whatever the test does, nothing of it is left running, and nothing is written outside of .mesh."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.project import Project, until

Make = Callable[..., Project]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/local/" in str(item.fspath):
            item.add_marker(pytest.mark.envoy)


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes projects in short folders: a Unix socket's path has 108 bytes at most."""
    made: list[Project] = []
    root = Path(tempfile.mkdtemp(prefix="mesh-"))

    def create(habit: str = "", name: str = "p", **values: object) -> Project:
        made.append(Project.make(root / name, habit, **values))
        return made[-1]

    yield create
    try:
        for project in made:
            assert project.mesh("down").code == 0
            until(lambda project=project: not project.processes(), "nothing of the mesh runs", 10)
            left = {p.name for p in project.folder.iterdir()} - {"__pycache__"}
            assert left <= {".mesh", "chart", "mesh.yaml", "web.py", "values.yaml"}, left
    finally:
        shutil.rmtree(root)
