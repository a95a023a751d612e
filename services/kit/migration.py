"""Migrations, run once however many processes and replicas start at the same time.

`python -m services.kit.migration services.catalog URL` brings a database to the newest revision and ends; server runs
it as a child at start, so that the service never carries Alembic in its memory. Input: the revisions packaged in
<package>/migrations/versions. Everything runs in one transaction that begins with a lock: on SQLite BEGIN IMMEDIATE, on
PostgreSQL an advisory lock. Who comes second waits and finds nothing to do.

Exit codes: 0, at the newest revision; 75 (EX_TEMPFAIL), the database cannot be reached, try again; 1, anything else.
"""

import asyncio
import os
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from services.kit.database import connect, sqlite_path

_LOCK = 0x73686F70  # "shop": any number will do, as long as all replicas use the same


def run() -> None:
    """What each service's migrations/env.py calls."""
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()


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
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config()
    root = Path(__file__).resolve().parents[2]
    config.set_main_option("script_location", str(root.joinpath(*package.split("."), "migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def main(package: str, url: str) -> int:
    try:
        asyncio.run(migrate(package, url))
    except (OperationalError, OSError) as error:
        print(f"{package}: cannot reach the database: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
