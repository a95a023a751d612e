"""What happened, in order, for as long as it is remembered: the log that every watch reads at its own pace.

Filled by the store after a change is on disk; read through ``after``. Watchers hold only a version, so a
slow one costs nothing and is told 410 (list again) once the log has moved on without it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mesh.local.store.object import Key, Object
from mesh.local.store.refusal import expired


class Change(StrEnum):
    """What became of an object; the names are those of Kubernetes watch events."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True)
class Event:
    """One change.

    ``object`` is as it is now (for DELETED: as it last was), ``previous`` as it was before, None for ADDED.
    """

    version: int
    change: Change
    key: Key
    object: Object
    previous: Object | None = None


class History:
    """The last ``limit`` to twice ``limit`` events, and a way to wait for more."""

    def __init__(self, version: int, limit: int) -> None:
        self.version = version
        self._oldest = version
        self._limit = limit
        self._events: list[Event] = []
        self._more = asyncio.Event()
        self._closed = False

    def add(self, events: Sequence[Event]) -> None:
        """Appends events in rising order of version and wakes every watcher."""
        self._events += events
        self.version = events[-1].version
        if len(self._events) >= 2 * self._limit:
            self._oldest = self._events[-self._limit - 1].version
            del self._events[: -self._limit]
        self._wake()

    def close(self) -> None:
        """Ends every watch: each has given what had happened until now."""
        self._closed = True
        self._wake()

    def check(self, since: int) -> None:
        """Raises Refused (410) for a version that is forgotten, or that this state never had."""
        if not self._oldest <= since <= self.version:
            raise expired(since, self._oldest)

    async def after(self, since: int) -> Sequence[Event]:
        """Every event after version ``since``, waiting for one when there is none; empty once closed.

        Raises Refused (410) when one of them is forgotten. Can be cancelled at any point without losing any.
        """
        while True:
            self.check(since)
            found = self._events[bisect_right(self._events, since, key=lambda event: event.version) :]
            if found or self._closed:
                return found
            await self._more.wait()

    def _wake(self) -> None:
        self._more.set()
        self._more = asyncio.Event()
