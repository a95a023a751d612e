"""Events for people: what happened to an object, as `kubectl describe` and `kubectl events` show it.

Called by the controllers and the runner. The same thing happening again raises a count instead of adding an
Event.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from mesh.local.store.draft import Draft, timestamp
from mesh.local.store.kind import kind
from mesh.local.store.object import Object, key, kind_of, metadata, name_of, namespace_of, uid_of
from mesh.local.store.store import Store
from mesh.local.store.write import create, update

COMPONENT = "meshwright"


async def record(
    store: Store, about: Object, reason: str, message: str, now: datetime, warning: bool = False
) -> None:
    """Says that something happened to ``about`` (a stored object).

    ``reason`` is one CamelCase word, ``message`` a sentence.
    """
    event = _event(about, reason, message, timestamp(now), "Warning" if warning else "Normal")
    where = key(kind("Event"), namespace_of(event), name_of(event))

    def plan(draft: Draft) -> Object:
        known = draft.get(where)
        if known is None:
            return create(draft, event)
        again = {**known, "count": int(known.get("count") or 1) + 1, "lastTimestamp": event["lastTimestamp"]}
        return update(draft, where, again)

    await store.write([plan])


def _event(about: Object, reason: str, message: str, time: str, weight: str) -> Object:
    namespace = namespace_of(about) or "default"
    same = hashlib.sha256("\0".join((uid_of(about), reason, message, weight)).encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name_of(about)}.{same}", "namespace": namespace},
        "involvedObject": {
            "apiVersion": kind_of(about).api_version,
            "kind": about["kind"],
            "namespace": namespace_of(about),
            "name": name_of(about),
            "uid": uid_of(about),
            "resourceVersion": metadata(about).get("resourceVersion", ""),
        },
        "reason": reason,
        "message": message,
        "type": weight,
        "count": 1,
        "firstTimestamp": time,
        "lastTimestamp": time,
        "source": {"component": COMPONENT, "host": "local"},
        "reportingComponent": COMPONENT,
        "reportingInstance": "local",
    }
