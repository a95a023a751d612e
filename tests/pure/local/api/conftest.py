"""One API server a module, with the namespace ``shop`` made anew for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.local.store import Deletion, key, key_of, kind
from tests.pure.local.api.running import Running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("mesh")).start()
    yield running
    running.stop()


@pytest.fixture
def api(server: Running) -> Iterator[Running]:
    shop = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    server.run(server.store.create(shop))
    yield server
    for pod in server.store.list(kind("Pod")):
        server.run(server.store.delete(key_of(pod), Deletion(grace=0)))
    server.run(server.store.delete(key(kind("Namespace"), "", "shop")))
    assert [obj["metadata"]["name"] for obj in server.store.snapshot()[1]] == ["default"]
