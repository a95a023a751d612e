"""A broker and two databases a test; PostgreSQL, where it is installed, once for all."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.services.events.postgres import binaries, postgres
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
    """Both databases are SQLite."""
    databases = (f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("telling", "hearing"))
    async with world(server, *databases) as shop:
        yield shop


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_url() -> AsyncIterator[str]:
    if (installed := binaries()) is None:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # its server runs as another user
        async with postgres(installed, Path(folder) / "server") as socket:
            yield f"postgresql+asyncpg://postgres@/postgres?host={socket}"


@pytest_asyncio.fixture
async def shop_on_postgres(server: Server, postgres_url: str) -> AsyncIterator[World]:
    """Both sides share one database, each with tables of its own."""
    async with world(server, postgres_url, postgres_url) as shop:
        yield shop
        await shop.clear()
