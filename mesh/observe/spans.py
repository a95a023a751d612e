"""Spans in SQLite: written in batches by one thread, the oldest dropped first when they are too old or too many.

The receivers put spans in; search reads them, on connections of its own. A file that is not of this version, or is
damaged, is started anew: spans are worth a look, not a migration.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.observe.span import Span
from mesh.observe.spanfile import SpanFile

BATCH = 2000
"""Spans written, or dropped, in one transaction."""

IDLE_SECONDS = 30.0
"""How often age is looked at when nothing comes in."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """``age`` is in seconds, ``size`` in bytes of the file, ``queue`` in spans that wait to be written."""

    age: float = 24 * 3600.0
    size: int = 256 << 20
    queue: int = 50_000


@dataclass
class Dropped:
    """Spans that are kept no longer, or never were, by why."""

    old: int = 0
    over_size: int = 0
    not_written: int = 0


class Spans:
    """The one writer of a file. To be closed, which first writes all that was put."""

    def __init__(
        self, path: Path, bounds: Bounds | None = None, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """``clock`` tells nanoseconds since 1970. Raises OSError and sqlite3.Error when no file can be made."""
        self.path = path
        self.written = 0
        self.dropped = Dropped()
        self._bounds = bounds or Bounds()
        self._clock = clock
        self._queue: deque[Span] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._file = SpanFile(path)
        self._thread = threading.Thread(target=self._run, name="spans")
        self._thread.start()

    def put(self, spans: Sequence[Span]) -> bool:
        """Takes all of them, to be written soon, or none when too many wait or the store is closed."""
        with self._changed:
            full = self._queue and len(self._queue) + len(spans) > self._bounds.queue
            if self._closed or full:
                return False
            self._queue.extend(spans)
            self._changed.notify()
        return True

    def close(self) -> None:
        """Returns when everything that was put is in the file."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            self._write(batch)
            self._drop()
        self._file.close()

    def _next(self) -> list[Span] | None:
        """The next to write, none of them after a while without any, or None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, IDLE_SECONDS)
            if self._closed and not self._queue:
                return None
            return [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]

    def _write(self, batch: list[Span]) -> None:
        try:
            self._file.insert(batch)
            self.written += len(batch)
        except sqlite3.Error as error:
            self.dropped.not_written += len(batch)
            self._repair(error)

    def _drop(self) -> None:
        try:
            self._drop_old()
            self._drop_over_size()
        except sqlite3.Error as error:
            self._repair(error)

    def _drop_old(self) -> None:
        before = self._clock() - int(self._bounds.age * 1e9)
        while dropped := self._file.drop_oldest(BATCH, before):
            self.dropped.old += dropped

    def _drop_over_size(self) -> None:
        """A tenth at once, so that the next batch does not find it full again."""
        while self._file.size() > self._bounds.size and (count := self._file.count()):
            self.dropped.over_size += self._file.drop_oldest(max(BATCH, count // 10))

    def _repair(self, error: sqlite3.Error) -> None:
        """A full disk may have room later; a damaged file is never whole again."""
        log.warning("spans are lost: %s: %s", self.path, error)
        if not isinstance(error, sqlite3.OperationalError):
            with contextlib.suppress(OSError, sqlite3.Error):  # the next batch finds it so, and tries again
                self._file.start_anew()
