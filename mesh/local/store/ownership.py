"""Who set which field: Kubernetes' managedFields, kept for clients that say who they are.

A field is a path of FieldsV1 steps: ``f:NAME`` a field, ``k:{...}`` the item of a list with those keys,
``v:VALUE`` an item of a set, ``.`` the item itself. Format: sigs.k8s.io/structured-merge-diff and
metav1.FieldsV1. Used by every write, and by server-side apply.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mesh.local.store.kind import Kind
from mesh.local.store.listkeys import DEFAULTS, SETS, keyed
from mesh.local.store.object import Object, metadata, with_metadata
from mesh.local.store.refusal import bad_request

Steps = tuple[str, ...]
Fields = frozenset[Steps]

_NOT_OWNED = {"apiVersion", "kind", "status"}
_OWN_METADATA = {"labels", "annotations", "finalizers", "ownerReferences"}


class Owner(NamedTuple):
    """A manager in a role: APPLY owns what its last configuration said, UPDATE what its requests changed."""

    manager: str
    operation: str


APPLY, UPDATE = "Apply", "Update"
Owners = dict[Owner, Fields]


def leaves(obj: Mapping[str, Any], kind: Kind) -> dict[Steps, Any]:
    """Every field that can be owned, with its value."""
    body = {name: value for name, value in obj.items() if name not in _NOT_OWNED}
    body["metadata"] = {name: value for name, value in metadata(obj).items() if name in _OWN_METADATA}
    return {steps: value for steps, value in _walk(body, kind, (), ()) if steps != ("f:metadata",)}


def owners(obj: Object) -> Owners:
    """As the object's managedFields tell. Entries of subresources are not read."""
    entries = metadata(obj).get("managedFields") or []
    return {
        Owner(str(entry.get("manager", "")), str(entry.get("operation", UPDATE))): frozenset(
            _parse(entry.get("fieldsV1") or {})
        )
        for entry in entries
        if not entry.get("subresource")
    }


def with_owners(obj: Object, held: Owners, before: Object | None, time: str) -> Object:
    """The object with these owners in its managedFields; an entry that says what it said keeps its time."""
    known = {
        (entry.get("manager"), entry.get("operation")): entry
        for entry in metadata(before or {}).get("managedFields") or []
    }
    entries = []
    for owner, fields in held.items():
        if fields:
            entry = _entry(owner, fields, obj["apiVersion"], time)
            old = known.get(owner, {})
            entries.append(old if {**entry, "time": old.get("time")} == old else entry)
    return with_metadata(obj, managedFields=entries or None)


def after_update(old: Object | None, new: Object, kind: Kind, manager: str, time: str) -> Object:
    """Gives the fields that differ to the manager that changed them, and takes lost ones from everybody."""
    held = owners(new)
    if not manager and not held:
        return new
    now, was = leaves(new, kind), leaves(old, kind) if old else {}
    changed = frozenset(steps for steps, value in now.items() if steps not in was or was[steps] != value)
    kept = frozenset(now) - changed
    held = {owner: fields & kept for owner, fields in held.items()}
    if manager:
        mine = Owner(manager, UPDATE)
        held[mine] = held.get(mine, frozenset()) | changed
    return with_owners(new, held, old, time)


def _walk(value: Any, kind: Kind, steps: Steps, names: tuple[str, ...]) -> Iterator[tuple[Steps, Any]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _walk(item, kind, (*steps, f"f:{name}"), (*names, name))
    elif isinstance(value, list) and names and names[-1] in SETS:
        yield from (((*steps, f"v:{json.dumps(item)}"), item) for item in value)
    elif (
        isinstance(value, list)
        and (keys := keyed(kind, names))
        and all(isinstance(item, dict) for item in value)
    ):
        for item in value:
            inner = (*steps, item_step(item, keys))
            yield (*inner, "."), {}
            yield from _walk(item, kind, inner, names)
    else:
        yield steps, value


def item_step(item: Mapping[str, Any], keys: Iterable[str]) -> str:
    named = {key: item.get(key, DEFAULTS.get(key)) for key in keys}
    return "k:" + json.dumps(
        {key: value for key, value in named.items() if value is not None},
        sort_keys=True,
        separators=(",", ":"),
    )


def _entry(owner: Owner, fields: Fields, api_version: str, time: str) -> dict[str, Any]:
    return {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": _nested(fields),
    }


def _nested(fields: Fields) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for steps in sorted(fields):
        node = tree
        for step in steps:
            node = node.setdefault(step, {})
    return tree


def _parse(tree: Mapping[str, Any], steps: Steps = ()) -> Iterator[Steps]:
    for step, inner in tree.items():
        if not _is_step(step) or not isinstance(inner, dict):
            raise bad_request(f"metadata.managedFields: {step!r} is not a step of FieldsV1")
        if inner:
            yield from _parse(inner, (*steps, step))
        else:
            yield (*steps, step)


def _is_step(step: str) -> bool:
    kind, _, rest = step.partition(":")
    if kind not in ("k", "v"):
        return step == "." or (kind == "f" and bool(rest))
    try:
        return isinstance(json.loads(rest), dict if kind == "k" else object)
    except ValueError:
        return False
