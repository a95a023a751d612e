"""A PostgreSQL database a test, whose owner needs a password that is in a file."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest_asyncio
from sqlalchemy import make_url

from tests.services.postgres import GUARDED


@dataclass(frozen=True)
class Guarded:
    """`admin` may do anything with it. `file` is what a Secret would be mounted as."""

    name: str
    admin: "asyncpg.Connection[asyncpg.Record]"
    folder: str
    file: Path

    @property
    def url(self) -> str:
        where = f"host={self.folder}&password_file={self.file}"
        return f"postgresql+asyncpg://{self.name}@/{self.name}?{where}"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """To the database itself, as the superuser."""
        connection = await asyncpg.connect(host=self.folder, user="postgres", database=self.name)
        yield connection
        await connection.close()

    async def password(self, at_server: str) -> None:
        await self.admin.execute(f"ALTER ROLE {self.name} PASSWORD '{at_server}'")

    async def disconnect(self) -> int:
        """Ends its connections. Returns how many there were."""
        ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"
        return len(await self.admin.fetch(ended, self.name))


@pytest_asyncio.fixture
async def guarded(postgres_url: str, tmp_path: Path) -> AsyncIterator[Guarded]:
    folder = str(make_url(postgres_url).query["host"])
    name = f"shop_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(host=folder, user="postgres", database="postgres")
    made = f"DO $$ BEGIN CREATE ROLE {GUARDED}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    await admin.execute(made)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'first' IN ROLE {GUARDED}")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    file = tmp_path / "password"
    file.write_text("first\n")
    yield Guarded(name, admin, folder, file)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()
