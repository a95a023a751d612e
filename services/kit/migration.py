"""Migrations, run once however many processes and replicas start at the same time.

Input: the revisions packaged in <package>/migrations/versions. Output: a database at the newest of them. Everything runs
in one transaction that begins with a lock: on SQLite BEGIN IMMEDIATE, on PostgreSQL an advisory lock. Who comes second
waits and finds nothing to do. So does an older version of a service, whose revisions the database has passed already.

MIGRATE_TO holds back what comes after a revision: a contraction waits for the last version that needs what it removes.

It runs in a child process, forked before there are threads: SQLAlchemy is loaded already, which saves most of a
second, and Alembic's memory goes with the child.
"""

import asyncio
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.typing import FilteringBoundLogger

from services.kit.database import connect, sqlite_path

RETRY = 1.0
LOCKED = 3.0
"""Seconds that a migration waits for a table that calls are using. While it waits, calls behind it wait too."""
_LOCK_NOT_AVAILABLE = "55P03"
_LOCK = 0x73686F70  # "shop": any number will do, as long as all replicas use the same


def run() -> None:
    """What each service's migrations/env.py calls."""
    from alembic import context

    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


def begin(package: str, url: str, to: str, log: FilteringBoundLogger) -> Any:
    """Starts the child (a multiprocessing.Process). It ends with 0 when the database is at the revision `to`, however
    long the database takes to come up, and with 1 when the migrations fail."""
    arguments = (package, url, to, log)
    child = multiprocessing.get_context("fork").Process(target=_child, args=arguments, daemon=True)
    child.start()
    return child


async def ended(child: Any) -> bool:
    """Waits for the child. Whether the database is at the newest revision."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(child.sentinel, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(child.sentinel)
    child.join()
    return bool(child.exitcode == 0)


def _child(package: str, url: str, to: str, log: FilteringBoundLogger) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            asyncio.run(migrate(package, url, to))
            return
        except (DBAPIError, OSError) as error:
            if not _passes(error):
                _fail(package, log)
            log.warning("waiting for the database", reason=str(error))
            time.sleep(RETRY)
        except Exception:
            _fail(package, log)


def _passes(error: Exception) -> bool:
    """Whether it may go better in a while."""
    if isinstance(error, OperationalError | OSError):
        return True
    return getattr(getattr(error, "orig", None), "sqlstate", "") == _LOCK_NOT_AVAILABLE


def _fail(package: str, log: FilteringBoundLogger) -> NoReturn:
    log.exception("the migrations failed; the database is as it was before", package=package)
    os._exit(1)


async def migrate(package: str, url: str, to: str = "head") -> None:
    """Brings the database at `url` to the revision `to` of `package`. Raises DBAPIError, OSError."""
    if path := sqlite_path(url):
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = connect(url, 1, "BEGIN IMMEDIATE")
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, package, to)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, package: str, to: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCKED}s'"))
    config = Config()
    root = Path(__file__).resolve().parents[2]
    config.set_main_option("script_location", str(root.joinpath(*package.split("."), "migrations")))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    wanted = {each.revision for each in script.iterate_revisions(to, "base")}
    present = MigrationContext.configure(connection).get_current_heads()
    if set(present) <= wanted:
        command.upgrade(config, to)
