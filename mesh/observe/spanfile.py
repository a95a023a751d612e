"""The SQLite file of the spans as its one writer sees it: put in, dropped, measured, and made anew when it is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from mesh.observe import rows
from mesh.observe.span import Span

_OLDEST = (
    "DELETE FROM spans WHERE rowid IN (SELECT rowid FROM spans WHERE start_ns < ? ORDER BY start_ns LIMIT ?)"
)
_FOREVER = 2**63 - 1


class SpanFile:
    """Starts anew what is damaged or of another version. Raises sqlite3.Error where it cannot read or write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # locked, or no place to write: nothing is wrong with the file
            self._remove()
            self._connection = self._opened()
        if self._number("user_version") != rows.VERSION:
            self.start_anew()

    def insert(self, spans: Iterable[Span]) -> None:
        with self._connection:
            self._connection.executemany(rows.INSERT, map(rows.to_row, spans))

    def drop_oldest(self, most: int, before_ns: int = _FOREVER) -> int:
        """How many were dropped: at most so many, of those that started before."""
        with self._connection:
            return self._connection.execute(_OLDEST, (before_ns, most)).rowcount

    def size(self) -> int:
        """Bytes in use. The file may be larger, and then fills the rest before it grows."""
        return (self._number("page_count") - self._number("freelist_count")) * self._number("page_size")

    def count(self) -> int:
        found: int = self._connection.execute("SELECT count(*) FROM spans").fetchone()[0]
        return found

    def start_anew(self) -> None:
        """An empty file instead of this one. Whoever still reads the old one keeps it."""
        self._connection.close()
        self._remove()
        self._connection = self._opened()

    def close(self) -> None:
        self._connection.close()

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        self._path.touch(0o600)
        connection = sqlite3.connect(self._path, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 8388608")
            if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                connection.executescript(rows.SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _number(self, pragma: str) -> int:
        found: int = self._connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        return found
