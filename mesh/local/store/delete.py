"""What a delete does to a draft: preconditions, a pod's grace, finalizers, and what the object owned.

Called by the store, inside a write. The rules are those of kube-apiserver's pod strategy and of the garbage
collector.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from mesh.local.store.draft import Draft, timestamp
from mesh.local.store.object import (
    Key,
    Object,
    at,
    key_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
    with_metadata,
)
from mesh.local.store.refusal import conflict

FINISHED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Deletion:
    """How to delete. ``grace`` in seconds, None for the pod's own; ``orphan`` leaves what it owned."""

    grace: int | None = None
    uid: str = ""
    version: str = ""
    orphan: bool = False


PLAIN = Deletion()


def delete(draft: Draft, where: Key, how: Deletion) -> Object:
    """Removes the object, or marks it when something has to happen first. Returns it as it last was.

    A Pod that runs somewhere (spec.nodeName is set) is only marked (deletionTimestamp): whoever runs it stops
    it and deletes it once more with no grace. An object with finalizers is marked until the last of them is
    gone. Raises Refused: 404, 409 for a precondition.
    """
    obj = draft.need(where)
    _check(obj, where, how)
    grace = _grace(obj, how)
    marked = bool(metadata(obj).get("deletionTimestamp"))
    if grace > 0 or metadata(obj).get("finalizers"):
        if marked and grace >= int(metadata(obj).get("deletionGracePeriodSeconds") or 0):
            return obj
        when = timestamp(draft.stamp.now + timedelta(seconds=grace))
        return draft.put(with_metadata(obj, deletionTimestamp=when, deletionGracePeriodSeconds=grace))
    remove(draft, obj, orphan=how.orphan)
    return obj


def remove(draft: Draft, obj: Object, orphan: bool = False) -> None:
    """Takes the object out with what it owned (which ``orphan`` sets free); a Namespace with its contents."""
    draft.remove(obj)
    if obj["kind"] == "Namespace":
        for inner in [found for found in draft.all() if namespace_of(found) == name_of(obj)]:
            if draft.get(key_of(inner)) is not None:
                delete(draft, key_of(inner), PLAIN)
        return
    for dependent in [found for found in draft.all() if _owned_by(found, uid_of(obj))]:
        left = [owner for owner in metadata(dependent)["ownerReferences"] if owner.get("uid") != uid_of(obj)]
        if orphan or left:
            draft.put(with_metadata(dependent, ownerReferences=left or None))
        elif draft.get(key_of(dependent)) is not None:
            delete(draft, key_of(dependent), PLAIN)


def _owned_by(obj: Object, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in metadata(obj).get("ownerReferences") or ())


def _check(obj: Object, where: Key, how: Deletion) -> None:
    if how.uid and how.uid != uid_of(obj):
        raise conflict(
            where.kind,
            where.name,
            f"the uid in the precondition ({how.uid}) is not the object's ({uid_of(obj)})",
        )
    if how.version and how.version != metadata(obj).get("resourceVersion"):
        raise conflict(
            where.kind,
            where.name,
            f"the resourceVersion in the precondition ({how.version}) is not the object's",
        )


def _grace(obj: Object, how: Deletion) -> int:
    """Seconds that a pod is given to stop; 0 for whatever does not run.

    Asking again with less shortens it, with none ends it.
    """
    if obj["kind"] != "Pod" or not at(obj, "spec.nodeName") or at(obj, "status.phase") in FINISHED:
        return 0
    if how.grace is not None:
        return how.grace
    own = at(obj, "metadata.deletionGracePeriodSeconds")
    return int(own if own is not None else at(obj, "spec.terminationGracePeriodSeconds") or 0)
