"""What is so: the objects in memory, the file that holds the same, and the log of how they came to be so.

Owned by the store, which lets one write at a time change it through ``keep``; read by everybody through the
store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from mesh.local.store.draft import Draft
from mesh.local.store.history import Change, Event, History
from mesh.local.store.journal import Journal
from mesh.local.store.object import Key, Object, with_metadata


class State:
    """``objects`` is never to be changed from outside; ``history`` is where a watch reads."""

    def __init__(self, directory: Path, now: datetime, remembered: int) -> None:
        """Opens the state of the directory. Raises Unusable.

        Versions go on from the last one, or from the clock when that is later: they never go back, even when
        the directory was removed meanwhile. Nothing before the start is remembered.
        """
        self._journal = Journal(directory)
        self._objects, last = self._journal.load()
        self._version = max(last, int(now.timestamp() * 1_000_000))
        self.history = History(last or self._version, remembered)

    @property
    def objects(self) -> Mapping[Key, Object]:
        return self._objects

    async def keep(self, draft: Draft) -> dict[Key, Object]:
        """Numbers what the draft changes, writes it down, and only then lets anybody see it.

        Returns each changed object as it now is (a removed one as it last was). Raises Refused when the disk
        does not take it.
        """
        events = list(self._events(draft))
        if not events:
            return {}
        version = events[-1].version
        await self._journal.save({event.key: _kept(event) for event in events}, version)
        self._version = version
        for event in events:
            if event.change is Change.DELETED:
                del self._objects[event.key]
            else:
                self._objects[event.key] = event.object
        self.history.add(events)
        return {event.key: event.object for event in events}

    def close(self) -> None:
        self._journal.close()

    def _events(self, draft: Draft) -> Iterator[Event]:
        """What the draft changes, each with a resourceVersion of its own."""
        version = self._version
        for where, obj in draft.changes.items():
            old = self._objects.get(where)
            if obj is None and old is None:
                continue
            version += 1
            change = Change.DELETED if obj is None else Change.MODIFIED if old else Change.ADDED
            stamped = with_metadata(obj or old or {}, resourceVersion=str(version))
            yield Event(version, change, where, stamped, old)


def _kept(event: Event) -> Object | None:
    return None if event.change is Change.DELETED else event.object
