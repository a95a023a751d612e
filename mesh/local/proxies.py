"""Each Pod's status says what its proxy has accepted, who it is and until when: what `mesh status` shows.

One task of the control plane. Input: the xDS server's and the CA's view of a proxy; output: ``status.proxy`` of its Pod.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from mesh.local import workload
from mesh.local.store import Refused, key_of
from mesh.local.world import World
from mesh.model.service import Workload

Object = dict[str, Any]
POLL_SECONDS = 0.1


async def follow(world: World) -> None:
    """Write what has changed, until cancelled."""
    known: dict[str, Workload] = {}
    while True:
        # A proxy is known by its pod's address.
        pods = [pod for pod in world.pods() if pod.get("status", {}).get("podIP")]
        uids = {p["metadata"]["uid"] for p in pods}
        known = {uid: mine for uid, mine in known.items() if uid in uids}
        for pod in pods:
            uid = pod["metadata"]["uid"]
            if uid not in known:
                known[uid] = workload.of(pod, world.trust_domain)
            proxy = _proxy(world, known[uid])
            if proxy != pod.get("status", {}).get("proxy"):
                await _write(world, pod, proxy)
        await asyncio.sleep(POLL_SECONDS)


def _proxy(world: World, mine: Workload) -> Object:
    status = world.server.status(mine.proxy_id)
    certificate = world.rotation.certificate(mine.proxy_id)
    return {
        "identity": mine.identity.spiffe,
        "connected": status.connected,
        "acked": status.acked,
        "version": status.version,
        "rejected": status.rejected,
        "certificateExpires": certificate.not_after.strftime("%Y-%m-%dT%H:%M:%SZ") if certificate else None,
    }


async def _write(world: World, pod: Object, proxy: Object) -> None:
    def change(found: Object) -> Object:
        return {**found, "status": {**found.get("status", {}), "proxy": proxy}}

    with contextlib.suppress(Refused):
        await world.store.edit(key_of(pod), change, "status")
