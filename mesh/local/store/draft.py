"""The state as it would be after some changes, before anybody else can see it.

The store gives one to each write; create, update, apply and delete change it; the store then validates it,
keeps it and makes it visible, or throws it away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from mesh.local.store.kind import Kind
from mesh.local.store.object import Key, Object, key_of, name_of, with_metadata
from mesh.local.store.refusal import not_found

EMPTY: tuple[object, ...] = ({}, [], "", None)


@dataclass(frozen=True)
class Stamp:
    """What a write takes from outside: the time, fresh identities, and who writes (empty: the mesh)."""

    now: datetime
    uid: Callable[[], str]
    manager: str = ""

    @property
    def time(self) -> str:
        return timestamp(self.now)


def timestamp(moment: datetime) -> str:
    """As Kubernetes writes a time: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Draft:
    """Objects with changes laid over them.

    ``changes`` says, in order, what each changed key becomes; None is a removal.
    """

    def __init__(self, objects: Mapping[Key, Object], stamp: Stamp) -> None:
        self._objects = objects
        self.stamp = stamp
        self.changes: dict[Key, Object | None] = {}

    def get(self, key: Key) -> Object | None:
        return self.changes[key] if key in self.changes else self._objects.get(key)

    def need(self, key: Key) -> Object:
        """The object, or Refused (404)."""
        found = self.get(key)
        if found is None:
            raise not_found(key.kind, key.name)
        return found

    def all(self) -> Iterator[Object]:
        for key, obj in self._objects.items():
            if key not in self.changes:
                yield obj
        yield from (obj for obj in self.changes.values() if obj is not None)

    def of(self, kind: Kind) -> Iterator[Object]:
        """Every object of a kind, in all namespaces."""
        where = (kind.group, kind.plural)
        for key, obj in self._objects.items():
            if key[:2] == where and key not in self.changes:
                yield obj
        for key, changed in self.changes.items():
            if key[:2] == where and changed is not None:
                yield changed

    def put(self, obj: Object) -> Object:
        """Lays an object over what is there. One that says nothing new changes nothing.

        Metadata that is empty is left out, as in a typed ObjectMeta.
        """
        obj = {
            **obj,
            "metadata": {name: value for name, value in obj["metadata"].items() if value not in EMPTY},
        }
        key = key_of(obj)
        old = self.get(key)
        if old is not None:
            obj = with_metadata(obj, resourceVersion=old["metadata"].get("resourceVersion"))
            if obj == old:
                return old
        self.changes[key] = obj
        return obj

    def remove(self, obj: Object) -> None:
        self.changes[key_of(obj)] = None

    def taken(self, kind: Kind, namespace: str) -> set[str]:
        """The names in use."""
        return {name_of(obj) for obj in self.of(kind) if obj["metadata"].get("namespace", "") == namespace}
