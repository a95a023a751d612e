"""A database for sagas that are about nothing in particular: SQLite, and PostgreSQL where it is installed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import MetaData

from services.kit.saga import store
from tests.services.events.world import create
from tests.services.saga.world import World

SAGAS = MetaData()
store.table(SAGAS)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite+aiosqlite:///{tmp_path / 'sagas'}.db"


@pytest_asyncio.fixture(loop_scope="session")
async def world(url: str) -> AsyncIterator[World]:
    database = await create(url, SAGAS)
    yield World(database)
    async with database.write() as connection:
        await connection.run_sync(SAGAS.drop_all)
    await database.close()
