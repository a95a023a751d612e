"""A small project a test; whatever the test does, nothing of it is left running, and nothing is written outside of .mesh."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client

from mesh.local.release import RENDERED
from tests.local.project import Project, until

Make = Callable[..., Project]


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/local/" in str(item.fspath):
            item.add_marker(pytest.mark.envoy)
            if "kept" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


@contextlib.contextmanager
def projects() -> Iterator[Make]:
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


@pytest.fixture
def make() -> Iterator[Make]:
    with projects() as create:
        yield create


@pytest.fixture(scope="module")
def kept() -> Iterator[Project]:
    """A mesh that all tests of a module share."""
    with projects() as create:
        project = create()
        done = project.mesh("up", "--detach")
        assert done.code == 0, done.text
        yield project


@pytest.fixture
def running(kept: Project) -> Iterator[Project]:
    """It, its files put back after the test and applied."""
    files = {p: p.read_bytes() for p in (kept.file, *kept.folder.glob("chart/**/*")) if p.is_file()}
    before = rendered(kept)
    yield kept
    for path, content in files.items():
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)
    (kept.folder / "values.yaml").unlink(missing_ok=True)
    until(lambda: kept.progress()["refused"] == [], "its files are right again")
    until(lambda: rendered(kept) == before, "they are applied")
    until(lambda: kept.progress()["waiting"] == [], "it is ready")


def rendered(project: Project) -> list[str]:
    """Of the chart's objects, hashes of what the chart said when they were applied."""
    api = project.client()
    found = [
        *client.AppsV1Api(api).list_namespaced_deployment("default").items,
        *client.CoreV1Api(api).list_namespaced_service("default").items,
    ]
    routes = client.CustomObjectsApi(api).list_namespaced_custom_object(
        "networking.istio.io", "v1", "default", "virtualservices"
    )["items"]
    return [
        *(each.metadata.annotations[RENDERED] for each in found),
        *(each["metadata"]["annotations"][RENDERED] for each in routes),
    ]
