"""Reads what spans has written: names, single traces, traces that match a query, all spans of a window.

Used by jaeger and topology, from any thread: each question has a connection of its own and ends within a limit.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mesh.observe import rows
from mesh.observe.span import Kind, Span

SECONDS = 10.0
"""What one question may take."""

LARGEST_TRACE = 10_000
"""Spans of a trace that are read; a trace that says it has more is hardly one request's."""

LARGEST_ANSWER = 50_000
"""Spans of all found traces together."""

_STEPS = 10_000  # of SQLite's virtual machine between two looks at the clock: well under a millisecond


class CannotSearch(Exception):
    """The question takes too long, or the file cannot be read now."""


@dataclass(frozen=True)
class Query:
    """One span of a trace must satisfy all of it. Times are nanoseconds; "" and 0 mean any."""

    service: str
    start_ns: int
    end_ns: int
    operation: str = ""
    shortest_ns: int = 0
    longest_ns: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    limit: int = 100


class Search:
    """Questions about the file at ``path``. Each raises CannotSearch."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self._path = path
        self._seconds = seconds

    def services(self) -> list[str]:
        """In order of name. Steps from one name to the next in the index, however many spans there are."""
        with self._connected() as connection:
            return [name for (name,) in connection.execute(_SERVICES)]

    def operations(self, service: str) -> list[tuple[str, Kind]]:
        """In order of name and kind."""
        with self._connected() as connection:
            return [(name, Kind(kind)) for name, kind in connection.execute(_OPERATIONS, (service,))]

    def trace(self, trace_id: str) -> list[Span]:
        """In order of start; empty when there is none of that id."""
        with self._connected() as connection:
            return _trace(connection, bytes.fromhex(trace_id))

    def traces(self, query: Query) -> list[list[Span]]:
        """The latest first, whole."""
        found: list[list[Span]] = []
        with self._connected() as connection:
            for trace_id in _matching(connection, query):
                found.append(_trace(connection, trace_id))
                if sum(map(len, found)) >= LARGEST_ANSWER:
                    break
        return found

    def window(self, start_ns: int, end_ns: int, limit: int) -> list[Span]:
        """Spans that started in it, the latest first."""
        with self._connected() as connection:
            return list(map(rows.from_row, connection.execute(_WINDOW, (start_ns, end_ns, limit))))

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        end = time.monotonic() + self._seconds
        try:
            with closing(
                sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)
            ) as connection:
                connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
                yield connection
        except sqlite3.Error as error:
            raise CannotSearch(_told(error, self._seconds)) from None


def _told(error: sqlite3.Error, seconds: float) -> str:
    if str(error) == "interrupted":
        return f"the search took more than {seconds:g} s: ask for less time, or fewer tags"
    return f"the spans cannot be read now: {error}"


def _trace(connection: sqlite3.Connection, trace_id: bytes) -> list[Span]:
    return list(map(rows.from_row, connection.execute(_TRACE, (trace_id, LARGEST_TRACE))))


def _matching(connection: sqlite3.Connection, query: Query) -> list[bytes]:
    """Ids of traces, the latest matching span's first. Reads no further than it must."""
    conditions, values = _conditions(query)
    found: dict[bytes, None] = {}
    statement = f"SELECT trace_id FROM spans WHERE {conditions} ORDER BY start_ns DESC"  # noqa: S608
    for (trace_id,) in connection.execute(statement, values):
        if len(found) >= query.limit:
            break
        found[trace_id] = None
    return list(found)


def _conditions(query: Query) -> tuple[str, Sequence[Any]]:
    """As SQL, and the values of its question marks."""
    found: list[tuple[str, Sequence[Any]]] = [("start_ns BETWEEN ? AND ?", (query.start_ns, query.end_ns))]
    if query.service:
        found.append(("service = ?", (query.service,)))
    if query.operation:
        found.append(("operation = ?", (query.operation,)))
    if query.shortest_ns:
        found.append(("end_ns - start_ns >= ?", (query.shortest_ns,)))
    if query.longest_ns:
        found.append(("end_ns - start_ns <= ?", (query.longest_ns,)))
    found += [_tag(key, value) for key, value in query.tags.items()]
    return " AND ".join(sql for sql, _ in found), [value for _, values in found for value in values]


def _tag(key: str, value: str) -> tuple[str, Sequence[Any]]:
    """Jaeger's own tags stand in columns. The others are looked for only in rows that hold the key's text."""
    if key == "span.kind":
        return "kind = ?", (value,)
    if key == "error" and value in ("true", "false"):
        return f"status {'=' if value == 'true' else '!='} 'ERROR'", ()
    if key == "otel.status_code":
        return "status = ?", (value,)
    return f"instr(attributes, ?) AND {_HAS_TAG}", (rows.key_text(key), key, value)


_HAS_TAG = """EXISTS (SELECT 1 FROM json_each(attributes) AS tag WHERE tag.key = ? AND ? = CASE tag.type
  WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(tag.value AS TEXT) END)"""

_SERVICES = """WITH RECURSIVE each(name) AS (
  SELECT min(service) FROM spans
  UNION ALL SELECT (SELECT min(service) FROM spans WHERE service > name) FROM each WHERE name IS NOT NULL
) SELECT name FROM each WHERE name IS NOT NULL"""
_OPERATIONS = "SELECT DISTINCT operation, kind FROM spans WHERE service = ? ORDER BY operation, kind"
_TRACE = f"SELECT {rows.COLUMNS} FROM spans WHERE trace_id = ? ORDER BY start_ns LIMIT ?"  # noqa: S608
_WINDOW = f"SELECT {rows.COLUMNS} FROM spans WHERE start_ns BETWEEN ? AND ? ORDER BY start_ns DESC LIMIT ?"  # noqa: S608
