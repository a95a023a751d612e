"""A broker and two databases a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.services.events.server import Server
from tests.services.events.world import World, world


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def shop(server: Server, tmp_path: Path) -> AsyncIterator[World]:
    databases = (f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("telling", "hearing"))
    async with world(server, *databases) as shop:
        yield shop
