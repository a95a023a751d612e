"""A service's own database: SQLite in WAL mode, or PostgreSQL, from the same code.

Input: DATABASE_URL, which may name a file with the password (password). Output: `Database`, whose `read` and `write` give a connection inside a transaction. SQLite allows
one writer at a time: writers of this process queue for one connection, and one that waits for another process does so
in the database (BEGIN IMMEDIATE with a busy timeout) rather than failing halfway.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.kit import password
from services.kit.call import CURRENT
from services.kit.errors import Unavailable
from services.kit.telemetry import SILENT, Kind, Telemetry, Work
from services.kit.trace import Span

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "cache_size=-2000",
)
READERS = 4
_NOTHING = nullcontext()


class Database:
    """Opened by server once the migrations have run; closed when the process ends."""

    def __init__(self, url: str, telemetry: Telemetry = SILENT) -> None:
        self.path = sqlite_path(url)
        self._telemetry = telemetry
        self._reading, self._writing = (_work(url, name) for name in ("read", "write"))
        self._readers = connect(url, READERS, "BEGIN")
        self._writer = connect(url, 1, "BEGIN IMMEDIATE") if self.path else self._readers

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one state of the database. Raises Unavailable."""
        async with self._told(self._reading), _translated(self._readers) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end unless an exception leaves it. Raises Unavailable."""
        async with self._told(self._writing), _translated(self._writer) as connection:
            yield connection

    def _told(self, work: Work) -> AbstractAsyncContextManager[None]:
        """Records a transaction of a call that is recorded."""
        call = CURRENT.get() if self._telemetry.records else None
        if call is None or not call.span.sampled:
            return _NOTHING
        return _recorded(self._telemetry, work, call.inside())

    async def answers(self) -> bool:
        """Whether the database is there, with its schema. A SQLite file that was deleted still answers to those who
        have it open, so its path is looked at too."""
        if self.path and not self.path.exists():
            return False
        try:
            async with self.read() as connection:
                await connection.execute(text("SELECT version_num FROM alembic_version"))
        except (Unavailable, DBAPIError):
            return False
        return True

    async def close(self) -> None:
        await self._readers.dispose()
        if self._writer is not self._readers:
            await self._writer.dispose()


def _work(url: str, operation: str) -> Work:
    """https://opentelemetry.io/docs/specs/semconv/database/database-spans/"""
    system = make_url(url).get_backend_name()
    attributes = (("db.system.name", system), ("db.operation.name", operation))
    return Work(f"database {operation}", Kind.CLIENT, attributes)


@asynccontextmanager
async def _recorded(telemetry: Telemetry, work: Work, span: Span) -> AsyncIterator[None]:
    """From waiting for a connection to the commit. Only a database that is away is a fault of the database."""
    clock, away = asyncio.get_running_loop().time, False
    started = clock()
    try:
        yield
    except Unavailable:
        away = True
        raise
    finally:
        telemetry.did(work, span, away, started, clock())


async def insert_new(connection: AsyncConnection, table: Table, values: Mapping[str, object]) -> bool:
    """Adds a row unless one with its key exists. True when it was added. Of two transactions that add the same key at
    once, the second waits for the first and then finds the row there."""
    statement = _insert(connection.dialect.name, table).values(values).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1


def _insert(dialect: str, table: Table) -> Any:
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # 2 MB that a SQLite service does without

    return postgresql.insert(table)


def aware(moment: datetime) -> datetime:
    """SQLite keeps no time zone: what was written as UTC comes back without one."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for a server. Raises ValueError: a database in memory would not survive."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError(
            f"DATABASE_URL {url} is in memory: give a file, such as sqlite+aiosqlite:////data/shop.db"
        )
    return Path(parsed.database)


def connect(url: str, connections: int, begin: str) -> AsyncEngine:
    """An engine whose transactions on SQLite start with `begin`, rather than where the driver thinks best."""
    place, password_file = password.split(url)
    engine = create_async_engine(place, pool_size=connections, max_overflow=0, pool_timeout=5.0)
    if sqlite_path(url):
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    else:
        event.listen(engine.sync_engine, "do_connect", password.Connecting(password_file))
    return engine


def _prepare(connection: Any, record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@asynccontextmanager
async def _translated(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.begin() as connection:
            yield connection
    except (OperationalError, PoolTimeout, OSError) as error:
        raise _away() from error
    except DBAPIError as error:  # asyncpg says InternalError when a connection ends while a statement begins
        if not error.connection_invalidated and not isinstance(error, InternalError):
            raise
        raise _away() from error


def _away() -> Unavailable:
    return Unavailable("ERROR_REASON_DATABASE_UNAVAILABLE", "the database does not answer")
