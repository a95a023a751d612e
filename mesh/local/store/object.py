"""Kubernetes objects as the store keeps them: plain JSON dicts, and how they are named and read.

Whatever the store gives out is shared: read it, never change it. Changes are made on a copy and written back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mesh.local.store.kind import Kind, by_name, by_plural
from mesh.local.store.refusal import bad_request

Object = dict[str, Any]


def copied(value: Any) -> Any:
    """A copy of a JSON value; several times as fast as copy.deepcopy."""
    if isinstance(value, dict):
        return {name: copied(item) for name, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


class Key(NamedTuple):
    """What names an object. ``namespace`` is empty for kinds that have none."""

    group: str
    resource: str
    namespace: str
    name: str

    @property
    def kind(self) -> Kind:
        found = by_plural(self.group, self.resource)
        if found is None:
            raise bad_request(f"the local mesh does not serve {self.resource} of group {self.group!r}")
        return found


def key(kind: Kind, namespace: str, name: str) -> Key:
    return Key(kind.group, kind.plural, namespace if kind.namespaced else "", name)


def kind_of(obj: Mapping[str, Any]) -> Kind:
    """The kind of an object by its apiVersion and kind; a refusal when the local mesh does not serve it."""
    api_version, name = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    group, _, version = api_version.rpartition("/")
    found = by_name(group, name)
    if found is None or version not in found.versions:
        raise bad_request(
            f'no matches for kind "{name}" in version "{api_version}": the local mesh does not serve it'
        )
    return found


def key_of(obj: Mapping[str, Any]) -> Key:
    kind = kind_of(obj)
    return key(kind, namespace_of(obj), name_of(obj))


def metadata(obj: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = obj.get("metadata") or {}
    return found


def name_of(obj: Mapping[str, Any]) -> str:
    return str(metadata(obj).get("name", ""))


def namespace_of(obj: Mapping[str, Any]) -> str:
    return str(metadata(obj).get("namespace", ""))


def uid_of(obj: Mapping[str, Any]) -> str:
    return str(metadata(obj).get("uid", ""))


def labels_of(obj: Mapping[str, Any]) -> dict[str, str]:
    return metadata(obj).get("labels") or {}


def version_of(obj: Mapping[str, Any]) -> int:
    """The resourceVersion as a number, 0 for an object that was never stored."""
    return int(metadata(obj).get("resourceVersion") or 0)


def with_metadata(obj: Object, **changes: Any) -> Object:
    """A copy with these metadata fields replaced; a field given as None is left out."""
    merged = {**metadata(obj), **changes}
    return {**obj, "metadata": {name: value for name, value in merged.items() if value is not None}}


def at(obj: Any, path: str) -> Any:
    """The value at a dotted path (``status.podIP``), None when there is none."""
    for name in path.split("."):
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(name)
    return obj
