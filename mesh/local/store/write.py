"""What create, update and apply do to a draft: metadata, generation, defaults, owners, status.

Each takes what the client sent and lays the finished object into the draft. Called by the store, inside a
write.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from mesh.local.store import defaults, names, shape
from mesh.local.store.apply import applied
from mesh.local.store.delete import remove
from mesh.local.store.draft import Draft, timestamp
from mesh.local.store.kind import Kind, kind
from mesh.local.store.object import (
    Key,
    Object,
    copied,
    key,
    key_of,
    kind_of,
    metadata,
    name_of,
    uid_of,
    with_metadata,
)
from mesh.local.store.ownership import after_update
from mesh.local.store.refusal import Cause, already_exists, bad_request, conflict, invalid, not_found, stale

KEPT = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
"""Metadata that no client can change."""

EVENTS_KEPT, EVENTS_AGE = 1000, timedelta(hours=1)
"""How many Event objects are kept, and for how long (an hour is kube-apiserver's --event-ttl)."""


def create(draft: Draft, sent: Object) -> Object:
    """A new object.

    Raises Refused: 409 when the name is taken, 404 when the namespace does not exist, 422, 400.
    """
    served = kind_of(sent)
    shape.check(sent, served)
    names.check(sent, served)
    obj = _fresh(draft, _stripped(sent), served)
    obj = after_update(None, obj, served, draft.stamp.manager, draft.stamp.time)
    defaults.fill(obj, draft)
    _check_namespace(draft, obj, served)
    if draft.get(key_of(obj)) is not None:
        raise already_exists(served, name_of(obj))
    if served.name == "Event":
        _forget_events(draft)
    return draft.put(obj)


def update(draft: Draft, where: Key, sent: Object, subresource: str = "") -> Object:
    """A whole object in place of the one at ``where``.

    Raises Refused: 409 when its resourceVersion or uid is not the current one.
    """
    old, served = draft.need(where), where.kind
    shape.check(sent, served)
    _check_identity(old, sent, served)
    if subresource == "status":
        return draft.put({**old, "status": _stripped(sent.get("status") or {})})
    obj = _replaced(old, _stripped(sent), served)
    names.check(obj, served)
    defaults.fill(obj, draft)
    _check_immutable(old, obj, served)
    obj = after_update(old, _counted(old, obj, served), served, draft.stamp.manager, draft.stamp.time)
    return _stored(draft, obj)


def apply(draft: Draft, where: Key, sent: Object, manager: str, force: bool) -> Object:
    """Server-side apply: creates the object or merges into it.

    Raises Refused: 409 on a conflict of managers without ``force``.
    """
    if metadata(sent).get("managedFields"):
        raise bad_request("metadata.managedFields must be nil in an applied configuration")
    served, old = where.kind, draft.get(where)
    shape.check(sent, served)
    names.check(sent, served)
    wanted = {**_stripped(sent), "apiVersion": served.api_version}
    wanted.pop("status", None)
    if old is not None:
        _check_identity(old, sent, served)
        wanted = with_metadata(wanted, resourceVersion=None, uid=None)
        obj = applied(old, wanted, served, manager, force, draft.stamp.time)
        _keep_address(old, obj)
        defaults.fill(obj, draft)
        _check_immutable(old, obj, served)
        return _stored(draft, _counted(old, obj, served))
    obj = _fresh(draft, copied(wanted), served)
    claimed = applied(
        {**obj, "metadata": dict(obj["metadata"])}, wanted, served, manager, True, draft.stamp.time
    )
    defaults.fill(claimed, draft)
    _check_namespace(draft, claimed, served)
    return draft.put(claimed)


def _fresh(draft: Draft, obj: Object, served: Kind) -> Object:
    if served.status:
        obj.pop("status", None)
    obj["apiVersion"] = served.api_version
    found = obj["metadata"]
    if not found.get("name"):
        found["name"] = f"{found['generateName']}{draft.stamp.uid().replace('-', '')[:5]}"
    if not served.namespaced:
        found.pop("namespace", None)
    return with_metadata(
        obj,
        uid=draft.stamp.uid(),
        creationTimestamp=draft.stamp.time,
        generation=1 if served.status else None,
        **dict.fromkeys(("resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")),
    )


def _replaced(old: Object, obj: Object, served: Kind) -> Object:
    """The sent object with what it may not change taken from the old one."""
    obj["apiVersion"] = served.api_version
    if served.status:
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = old["status"]
    kept = {name: metadata(old).get(name) for name in (*KEPT, "name", "namespace")}
    managed = metadata(obj).get("managedFields", metadata(old).get("managedFields"))
    obj = with_metadata(obj, **kept, managedFields=managed or None, selfLink=None)
    _keep_address(old, obj)
    return obj


def _counted(old: Object, obj: Object, served: Kind) -> Object:
    """With the generation one higher when anything but metadata and status differs."""
    if not served.status or _body(old) == _body(obj):
        return obj
    return with_metadata(obj, generation=int(metadata(old).get("generation") or 0) + 1)


def _stored(draft: Draft, obj: Object) -> Object:
    """Laid into the draft, or removed from it when the last finalizer of a waiting object is gone."""
    found = metadata(obj)
    waits_for_grace = int(found.get("deletionGracePeriodSeconds") or 0) > 0
    if found.get("deletionTimestamp") and not found.get("finalizers") and not waits_for_grace:
        remove(draft, obj)
        return obj
    return draft.put(obj)


def _body(obj: Object) -> dict[str, Any]:
    return {
        name: value for name, value in obj.items() if name not in ("apiVersion", "kind", "metadata", "status")
    }


def _stripped(value: Any) -> Any:
    """A copy without nulls."""
    if isinstance(value, dict):
        return {name: _stripped(item) for name, item in value.items() if item is not None}
    return [_stripped(item) for item in value] if isinstance(value, list) else value


def _keep_address(old: Object, obj: Object) -> None:
    """A Service keeps its cluster IP when an update does not name one."""
    if obj["kind"] != "Service":
        return
    spec, was = obj.get("spec") or {}, old.get("spec") or {}
    if not spec.get("clusterIP") and spec.get("type") != "ExternalName" and was.get("clusterIP"):
        spec["clusterIP"] = was["clusterIP"]


def _check_identity(old: Object, sent: Object, served: Kind) -> None:
    given = metadata(sent)
    if sent.get("kind", served.name) != served.name or given.get("name", name_of(old)) != name_of(old):
        told = f'{sent.get("kind")} "{given.get("name")}"'
        raise bad_request(f'the object sent is {told}, the one to change is {served.name} "{name_of(old)}"')
    if given.get("resourceVersion") and given["resourceVersion"] != metadata(old).get("resourceVersion"):
        raise stale(served, name_of(old))
    if given.get("uid") and given["uid"] != uid_of(old):
        raise conflict(served, name_of(old), f"uid {given['uid']} is not that of the object, {uid_of(old)}")


def _check_immutable(old: Object, obj: Object, served: Kind) -> None:
    before, after = old.get("spec") or {}, obj.get("spec") or {}
    fixed = {
        "Deployment": "selector",
        "ReplicaSet": "selector",
        "Job": "selector",
        "Service": "clusterIP",
    }.get(served.name)
    if fixed and before.get(fixed) and before.get(fixed) != after.get(fixed):
        why = "field is immutable: delete the object and create it again"
        raise invalid(served, name_of(old), [Cause(why, f"spec.{fixed}")])


def _check_namespace(draft: Draft, obj: Object, served: Kind) -> None:
    if not served.namespaced:
        return
    namespace = metadata(obj).get("namespace")
    if not namespace:
        raise bad_request(f'{served.resource} "{name_of(obj)}" needs metadata.namespace')
    spaces = kind("Namespace")
    if draft.get(key(spaces, "", namespace)) is None:
        raise not_found(spaces, namespace)


def _forget_events(draft: Draft) -> None:
    oldest = timestamp(draft.stamp.now - EVENTS_AGE)
    events = sorted(
        draft.of(kind("Event")),
        key=lambda event: str(event.get("lastTimestamp") or metadata(event)["creationTimestamp"]),
    )
    surplus = len(events) - EVENTS_KEPT + 1
    for place, event in enumerate(events):
        if place < surplus or str(event.get("lastTimestamp") or oldest) < oldest:
            draft.remove(event)
