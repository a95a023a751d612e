"""The object store of the local mesh: Kubernetes objects as plain dicts, on disk, versioned, watched.

Pure of HTTP. In use::

    async with Store(Path(".mesh/state"), validate=check) as store:
        await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        await store.apply_all(rendered, manager="mesh", force=True)  # one write, all or nothing
        where = key(kind("Pod"), "shop", "catalog-v1-0")
        await store.patch(where, {"status": {"phase": "Running"}}, subresource="status")
        await record(store, pod, "Started", "Started container catalog", now)
        version, objects = store.snapshot()  # for the linker
        async for event in store.watch(kind("Pod")):  # for a controller
            ...

- A Namespace comes before what is in it; ``default`` is always there.
- A status is only written with ``subresource="status"``; on create and on ordinary updates it is ignored, as
  on a cluster.
- Reads share the objects they return: never change one.
- Deleting a Pod with ``spec.nodeName`` only sets ``deletionTimestamp``: the runner stops it and then deletes
  it with ``Deletion(grace=0)``. Pods owned (ownerReferences) by a deleted object go the same way.
- A write that is refused raises ``Refused`` (``reason`` is Kubernetes': NotFound, AlreadyExists, Conflict,
  Invalid, Expired, ...).
- A state file that cannot be opened raises ``Unusable``, whose text says why and what to do.
"""

from mesh.local.store.check import Validate
from mesh.local.store.delete import Deletion
from mesh.local.store.draft import timestamp
from mesh.local.store.history import Change, Event
from mesh.local.store.journal import Unusable
from mesh.local.store.kind import KINDS, Kind, kind
from mesh.local.store.object import (
    Key,
    Object,
    key,
    key_of,
    kind_of,
    labels_of,
    metadata,
    name_of,
    namespace_of,
    uid_of,
    with_metadata,
)
from mesh.local.store.patch import PatchType
from mesh.local.store.record import record
from mesh.local.store.refusal import Cause, Refused
from mesh.local.store.store import Store, Written

__all__ = [
    "KINDS",
    "Cause",
    "Change",
    "Deletion",
    "Event",
    "Key",
    "Kind",
    "Object",
    "PatchType",
    "Refused",
    "Store",
    "Unusable",
    "Validate",
    "Written",
    "key",
    "key_of",
    "kind",
    "kind_of",
    "labels_of",
    "metadata",
    "name_of",
    "namespace_of",
    "record",
    "timestamp",
    "uid_of",
    "with_metadata",
]
