"""Migrations, run once however many processes and replicas start at the same time.

Input: the revisions packaged in <package>/migrations/versions. Output: a database at the newest of them. Everything runs
in one transaction that begins with a lock: on SQLite BEGIN IMMEDIATE, on PostgreSQL an advisory lock. Who comes second
waits and finds nothing to do.

It runs in a child process, forked before there are threads: SQLAlchemy is loaded already, which saves most of a
second, and Alembic's memory goes with the child.
"""

import asyncio
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from structlog.typing import FilteringBoundLogger

from services.kit.database import connect, sqlite_path

RETRY = 1.0
_LOCK = 0x73686F70  # "shop": any number will do, as long as all replicas use the same


def run() -> None:
    """What each service's migrations/env.py calls."""
    from alembic import context

    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


def begin(package: str, url: str, log: FilteringBoundLogger) -> Any:
    """Starts the child (a multiprocessing.Process). It ends with 0 when the database is at the newest revision, however
    long the database takes to come up, and with 1 when the migrations fail."""
    child = multiprocessing.get_context("fork").Process(target=_child, args=(package, url, log), daemon=True)
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


def _child(package: str, url: str, log: FilteringBoundLogger) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        try:
            asyncio.run(migrate(package, url))
            return
        except (OperationalError, OSError) as error:
            log.warning("waiting for the database", reason=str(error))
            time.sleep(RETRY)
        except Exception:
            log.exception("the migrations failed; the database is as it was before", package=package)
            os._exit(1)


async def migrate(package: str, url: str) -> None:
    """Brings the database at `url` to the newest revision of `package`. Raises OperationalError, OSError."""
    if path := sqlite_path(url):
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = connect(url, 1, "BEGIN IMMEDIATE")
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, package)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, package: str) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config()
    root = Path(__file__).resolve().parents[2]
    config.set_main_option("script_location", str(root.joinpath(*package.split("."), "migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
