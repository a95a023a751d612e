"""The objects of the local mesh: kept on disk, changed one write at a time, watched by everybody.

Written by the Kubernetes API (what users send), by ``mesh up`` (what the charts render) and by the
controllers (statuses, pods); read by the linker as a snapshot and by the controllers as a stream of events.
Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from mesh.local.store.check import Validate, check
from mesh.local.store.delete import PLAIN, Deletion, delete
from mesh.local.store.draft import Draft, Stamp
from mesh.local.store.history import Change, Event
from mesh.local.store.kind import Kind, kind
from mesh.local.store.object import Key, Object, key, key_of, metadata, name_of, namespace_of
from mesh.local.store.patch import PatchType, patched
from mesh.local.store.refusal import not_found
from mesh.local.store.selector import matcher
from mesh.local.store.state import State
from mesh.local.store.write import apply, create, update
from mesh.resources.problem import Problem

Plan = Callable[[Draft], Object]
"""What one write does to the draft it is given; returns the object it is about."""


@dataclass(frozen=True)
class Written:
    """A write that was carried out, or would be (dry run): the object as it is then, and warnings."""

    object: Object
    warnings: tuple[Problem, ...] = ()
    created: bool = False


class Store:
    """Open with ``async with Store(directory) as store``. Belongs to the event loop that opened it.

    Every write raises Refused when it is not carried out; the state is then what it was. Objects given out
    are shared: never change them. ``manager`` is who writes, for managedFields; the mesh's own writes leave
    it empty.
    """

    def __init__(
        self,
        directory: Path,
        validate: Validate | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        uid: Callable[[], str] = lambda: str(uuid4()),
        remembered: int = 1000,
    ) -> None:
        self.validate = validate
        self._now, self._uid = now, uid
        self._state = State(directory, now(), remembered)
        self._turn = asyncio.Lock()
        self._writes: set[asyncio.Task[Sequence[Written]]] = set()

    async def __aenter__(self) -> Self:
        if self.find(key(kind("Namespace"), "", "default")) is None:
            await self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends every watch, lets a write that is under way finish, and closes the file."""
        self._state.history.close()
        if self._writes:
            await asyncio.wait(self._writes)
        self._state.close()

    @property
    def version(self) -> int:
        """The resourceVersion of the whole state: that of a list, and where a watch of the rest begins."""
        return self._state.history.version

    def find(self, where: Key) -> Object | None:
        return self._state.objects.get(where)

    def get(self, where: Key) -> Object:
        """The object, or Refused (404)."""
        found = self.find(where)
        if found is None:
            raise not_found(where.kind, where.name)
        return found

    def list(self, of: Kind, namespace: str = "", labels: str = "", fields: str = "") -> Sequence[Object]:
        """By namespace and name; an empty namespace means all of them."""
        matches, where = matcher(of, labels, fields), (of.group, of.plural)
        found = [
            obj
            for at, obj in self._state.objects.items()
            if at[:2] == where and namespace in ("", at.namespace) and matches(obj)
        ]
        return sorted(found, key=lambda obj: (namespace_of(obj), name_of(obj)))

    def snapshot(self) -> tuple[int, tuple[Object, ...]]:
        """The version of the state and every object, in the order of creation: what the linker works from."""
        ordered = sorted(
            self._state.objects.items(),
            key=lambda item: (metadata(item[1]).get("creationTimestamp", ""), item[0]),
        )
        return self.version, tuple(obj for _, obj in ordered)

    async def watch(
        self, of: Kind | None = None, namespace: str = "", since: int | None = None
    ) -> AsyncIterator[Event]:
        """Events after version ``since``, as they happen; with None first an ADDED for everything there is.

        Ends when the store closes.

        Raises Refused (410) when that version, or one that this watcher still needs, is forgotten: list again
        and watch from there.
        """
        if since is None:
            since = self.version
            for at, obj in list(self._state.objects.items()):
                if _concerns(at, of, namespace):
                    yield Event(int(metadata(obj)["resourceVersion"]), Change.ADDED, at, obj)
        while events := await self._state.history.after(since):
            since = events[-1].version
            for event in events:
                if _concerns(event.key, of, namespace):
                    yield event

    async def after(self, since: int) -> Sequence[Event]:
        """What happened after a version, as soon as there is something; empty when the store closes.

        Raises Refused (410) as ``watch`` does. May be cancelled (by a timeout) without losing any event.
        """
        return await self._state.history.after(since)

    async def create(self, obj: Object, manager: str = "", dry_run: bool = False) -> Written:
        return await self._one(lambda draft: create(draft, obj), manager, dry_run)

    async def update(
        self, obj: Object, subresource: str = "", manager: str = "", dry_run: bool = False
    ) -> Written:
        """A whole object in place of the one of its name; if it has a resourceVersion, only of that one."""
        where = key_of(obj)
        return await self._one(lambda draft: update(draft, where, obj, subresource), manager, dry_run)

    async def patch(
        self,
        where: Key,
        patch: Any,
        how: PatchType = PatchType.MERGE,
        subresource: str = "",
        manager: str = "",
        dry_run: bool = False,
    ) -> Written:
        def plan(draft: Draft) -> Object:
            return update(draft, where, patched(draft.need(where), patch, how, where.kind), subresource)

        return await self._one(plan, manager, dry_run)

    async def edit(self, where: Key, change: Callable[[Object], Object], subresource: str = "") -> Written:
        """The object with ``change`` made to it, which gets the current one and returns a changed copy.

        Cannot conflict.
        """
        return await self._one(
            lambda draft: update(draft, where, change(draft.need(where)), subresource), "", False
        )

    async def apply(self, obj: Object, manager: str, force: bool = False, dry_run: bool = False) -> Written:
        """Server-side apply: ``obj`` is all that ``manager`` wants of it; created when there is none."""
        return (await self.apply_all([obj], manager, force, dry_run))[0]

    async def apply_all(
        self, objects: Sequence[Object], manager: str, force: bool = False, dry_run: bool = False
    ) -> Sequence[Written]:
        """Server-side apply of several objects as one write: validated together, and all of them or none."""
        plans = [_apply_plan(obj, manager, force) for obj in objects]
        return await self.write(plans, manager, dry_run)

    async def delete(self, where: Key, how: Deletion = PLAIN, dry_run: bool = False) -> Object:
        """Deletes, with all that the object owned.

        Returns the object as it last was, or as it is while it waits to go.
        """
        return (await self._one(lambda draft: delete(draft, where, how), "", dry_run)).object

    async def write(
        self, plans: Sequence[Plan], manager: str = "", dry_run: bool = False
    ) -> Sequence[Written]:
        """Several changes as one: each plan sees what those before it did, and all are kept or none.

        A caller that is cancelled does not undo what it asked for: the write finishes.
        """
        task = asyncio.create_task(self._write(plans, manager, dry_run))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def _one(self, plan: Plan, manager: str, dry_run: bool) -> Written:
        return (await self.write([plan], manager, dry_run))[0]

    async def _write(self, plans: Sequence[Plan], manager: str, dry_run: bool) -> Sequence[Written]:
        async with self._turn:
            draft = Draft(self._state.objects, Stamp(self._now(), self._uid, manager))
            about = [plan(draft) for plan in plans]
            warnings = await check(draft, self._state.objects, self.validate)
            new = {where for where in draft.changes if where not in self._state.objects}
            kept = {} if dry_run else await self._state.keep(draft)
        return [Written(kept.get(key_of(obj), obj), warnings, key_of(obj) in new) for obj in about]


def _concerns(where: Key, of: Kind | None, namespace: str) -> bool:
    return (of is None or where[:2] == (of.group, of.plural)) and namespace in ("", where.namespace)


def _apply_plan(obj: Object, manager: str, force: bool) -> Plan:
    where = key_of(obj)
    return lambda draft: apply(draft, where, obj, manager, force)
