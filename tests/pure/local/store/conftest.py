"""A store under tmp_path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mesh.local.store import Store
from tests.pure.local.store.objects import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    async with Store(tmp_path / "state", now=clock) as store:
        await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        yield store
