"""The engine that a scenario runs on; it is put back as it was after each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.cluster import Cluster
from tests.scenarios.engine import Engine
from tests.scenarios.local import Local, mesh, with_short_certificates

LOCALLY = [pytest.param("local", marks=[pytest.mark.envoy, pytest.mark.xdist_group("scenarios")])]
BOTH = [
    *LOCALLY,
    pytest.param("cluster", marks=pytest.mark.cluster),
]


def _local(folder: Path) -> Iterator[Engine]:
    with_short_certificates(folder)
    try:
        mesh(folder, "up", "--detach")
        engine = Local(folder / ".mesh" / "kubeconfig", folder=folder)
        yield engine
        engine.close()
    finally:
        mesh(folder, "down")


def _cluster() -> Iterator[Engine]:
    engine = Cluster(Path(os.environ["KUBECONFIG"]))
    yield engine
    engine.close()


@pytest.fixture(scope="session", params=BOTH)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One for all scenarios of a run."""
    yield from _local(tmp_path_factory.mktemp("shop") / "p") if request.param == "local" else _cluster()


@pytest.fixture
def engine(running: Engine) -> Iterator[Engine]:
    yield running
    running.restore()
