"""The state on disk: one SQLite file that holds every object and the last version given out.

Written by the store, one transaction a change or batch, from a thread of its own; read once, at start. A
commit is in the write-ahead log before the change is visible to anybody, so a process killed at any moment
comes back with all that it had said yes to.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mesh.local.store.object import Key, Object
from mesh.local.store.refusal import not_kept

SCHEMA = 1
FILE = "store.db"
_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
  grp TEXT, resource TEXT, namespace TEXT, name TEXT, body TEXT NOT NULL,
  PRIMARY KEY (grp, resource, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS version (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL);
"""
_PUT = "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM objects WHERE grp = ? AND resource = ? AND namespace = ? AND name = ?"


class Unusable(Exception):
    """The state file cannot be opened: another control plane has it, it is damaged, or the disk is full."""


class Journal:
    """An open state file. ``load`` once, ``save`` for every change, ``close`` at the end."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        try:
            directory.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._db = _open(self.path)
        except (OSError, sqlite3.Error) as error:
            raise Unusable(_reason(self.path, error)) from error
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def load(self) -> tuple[dict[Key, Object], int]:
        """Every object, and the last version that was given out (0 in a new file)."""
        try:
            rows = self._db.execute("SELECT * FROM objects").fetchall()
            last = self._db.execute("SELECT last FROM version").fetchone()
        except sqlite3.Error as error:
            raise Unusable(_reason(self.path, error)) from error
        return {Key(*row[:4]): json.loads(row[4]) for row in rows}, last[0] if last else 0

    async def save(self, changes: Mapping[Key, Object | None], version: int) -> None:
        """Keeps all the changes (None removes) or, raising Refused, none of them. Not to be cancelled."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._writer, self._commit, changes, version)
        except sqlite3.Error as error:
            raise not_kept(f"{self.path}: {error}") from error

    def close(self) -> None:
        self._writer.shutdown()
        self._db.close()

    def _commit(self, changes: Mapping[Key, Object | None], version: int) -> None:
        puts = [
            (*key, json.dumps(obj, separators=(",", ":"))) for key, obj in changes.items() if obj is not None
        ]
        removals = [key for key, obj in changes.items() if obj is None]
        with self._db:
            self._db.executemany(_REMOVE, removals)
            self._db.executemany(_PUT, puts)
            self._db.execute("INSERT OR REPLACE INTO version VALUES (1, ?)", (version,))


def _open(path: Path) -> sqlite3.Connection:
    """Exclusive, so that a second control plane on the same directory is told so at once."""
    db = sqlite3.connect(path, timeout=0.2, check_same_thread=False)
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA):
            raise sqlite3.DatabaseError(
                f"written by another version of mesh (schema {found}, this one reads {SCHEMA})"
            )
        db.executescript(_TABLES)
        db.execute(f"PRAGMA user_version = {SCHEMA}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _reason(path: Path, error: Exception) -> str:
    told = str(error)
    if "locked" in told:
        return (
            f"{path} is in use by another control plane: stop that one (mesh down) or use another directory"
        )
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return f"{path} cannot be read: {told}; move it away to begin with an empty state"
    return f"{path} cannot be opened: {told}; make room on the disk, or the directory writable"
