"""Store -> link -> compile -> xDS, on every change.

What users write is checked before it comes into the store (validate, release). What became wrong there, as a route does when its service is
deleted, is published as a cluster would publish it, and said.

One task of the control plane. After a publish it writes, on each Istio object, whether every proxy has accepted it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from mesh.compile.compiler import Compiler
from mesh.compile.placement import listened
from mesh.compile.scope import Scopes
from mesh.compile.successor import succeed
from mesh.envoy.patching import linked
from mesh.envoy.snapshot import Snapshot
from mesh.link.memo import Memo
from mesh.local import observatory, ports, targets
from mesh.local.deployment import ready
from mesh.local.jwks import Keys
from mesh.local.progress import left_out
from mesh.local.store import Refused, key_of
from mesh.local.world import World
from mesh.model.mesh import Mesh
from mesh.model.service import Kind, Workload
from mesh.resources.object import Object as Typed
from mesh.resources.object import from_json
from mesh.resources.problem import Problem, Severity
from mesh.xds.server import Server

log = logging.getLogger(__name__)

Object = dict[str, Any]
#: Changes that come together are published together; istiod waits 100 ms.
COALESCE_SECONDS = 0.005
_READ = frozenset({"Service", "Pod", "Namespace", "EndpointSlice"})
_ACCEPT_SECONDS = 5.0
_AGAIN_SECONDS = 0.25


class Reader:
    """Objects of the store as typed ones, each parsed once as long as nothing that is read of it changes: then it stays the very same."""

    def __init__(self) -> None:
        self._parsed: dict[tuple[object, ...], tuple[Typed[Any] | None, list[Problem]]] = {}

    def read(self, objects: Iterable[Object]) -> tuple[list[Typed[Any]], list[Problem]]:
        kept: dict[tuple[object, ...], tuple[Typed[Any] | None, list[Problem]]] = {}
        for each in objects:
            if _concerns(each):
                key = _read_of(each)
                kept[key] = self._parsed.get(key) or from_json(each, origin(each))
        self._parsed = kept
        typed = [made for made, _ in kept.values() if made is not None]
        return typed, [p for _, problems in kept.values() for p in problems]


def origin(obj: Object) -> str:
    """How a Problem names an object that came over the API."""
    return f"{obj['kind']} {obj['metadata'].get('namespace', '')}/{obj['metadata'].get('name', '')}"


def _concerns(obj: Object) -> bool:
    return obj["kind"] in _READ or "istio.io/" in obj["apiVersion"]


def _read_of(obj: Object) -> tuple[object, ...]:
    """Names an object and the state of all of it that is read: of a Pod's status where it is and how it fares, of another's nothing."""
    metadata, status = obj["metadata"], obj.get("status", {}) if obj["kind"] == "Pod" else {}
    words = [tuple((metadata.get(each) or {}).items()) for each in ("labels", "annotations")]
    conditions = tuple((each.get("type"), each.get("status")) for each in status.get("conditions") or ())
    return (
        metadata.get("uid", origin(obj)),
        metadata.get("generation", metadata.get("resourceVersion")),
        *words,
        metadata.get("deletionTimestamp"),
        status.get("podIP"),
        status.get("phase"),
        conditions,
    )


def _said(obj: Object) -> tuple[object, ...]:
    """What of an object can change configuration: equal answers need no new publish."""
    metadata = obj["metadata"]
    name = (obj["kind"], metadata.get("uid"), metadata.get("generation"), metadata.get("labels"))
    if obj["kind"] == "EndpointSlice":  # which has no generation
        return (*name, metadata.get("resourceVersion"))
    if obj["kind"] != "Pod":
        return name
    status = obj.get("status", {})
    return (*name, ports.of(obj), metadata.get("deletionTimestamp"), status.get("podIP"), ready(obj))


class Publisher:
    """Keeps every proxy at what the store says."""

    def __init__(self, world: World, keys: Keys) -> None:
        self._world = world
        self._keys = keys
        self._reader = Reader()
        self._accepting: asyncio.Task[None] | None = None
        self._published: list[tuple[object, ...]] = []
        self._memo = Memo()
        self._compiler: Compiler | None = None
        self._withheld: dict[str, list[str]] = {}
        self.problems: tuple[Problem, ...] = ()

    async def run(self) -> None:
        """Publish, then again after every change, until cancelled."""
        store = self._world.store
        while True:
            version, objects = store.snapshot()
            self._keys.changed.clear()
            said: list[tuple[object, ...]] = [_said(o) for o in objects if _concerns(o)]
            said.append(tuple(self._keys.found.items()))
            if said != self._published:
                self._published = said
                await self._publish(objects)
            self._world.published(version)
            if not await self._change(version):
                return
            await asyncio.sleep(COALESCE_SECONDS)

    async def _change(self, version: int) -> bool:
        """Wait for a change of the store, or of keys; false when the store closes."""
        store = asyncio.ensure_future(self._world.store.after(version))
        keys = asyncio.ensure_future(self._keys.changed.wait())
        try:
            await asyncio.wait({store, keys}, return_when=asyncio.FIRST_COMPLETED)
            return bool(store.result()) if store.done() else True
        finally:
            store.cancel()
            keys.cancel()

    async def _publish(self, objects: Sequence[Object]) -> None:
        typed, problems = self._reader.read(objects)
        mesh, more = linked(typed, running=True, memo=self._memo)
        self.problems = tuple(sorted([*problems, *more]))
        if await self._place(mesh, objects):
            return  # the pods' new ports are a change of the store: the next round has them
        pods = [o for o in objects if o["kind"] == "Pod"]
        watched = observatory.NAME if self._world.observatory else ""
        placement = ports.placement(pods, watched)
        if watched:
            targets.write(self._world.paths, mesh, placement)
        self._keys.follow(mesh, placement)
        self._compiler, touched = succeed(self._compiler, replace(mesh, keys=self._keys.found), placement)
        allocated = {(p["metadata"]["namespace"], p["metadata"]["name"]) for p in pods if ports.of(p).used}
        for workload in touched:
            if workload.key in allocated:
                self._withheld[workload.proxy_id] = await self._compiled(self._compiler, workload)
        here = {workload.proxy_id for workload in mesh.workloads}
        self._withheld = {proxy: why for proxy, why in self._withheld.items() if why and proxy in here}
        self._accept(mesh, objects, [reason for why in self._withheld.values() for reason in why])

    async def _compiled(self, compiler: Compiler, workload: Workload) -> list[str]:
        """Compile and offer one proxy's configuration. A mistake of the compiler's costs that proxy its news, and nobody else anything."""
        try:
            snapshot, _ = compiler.compile(workload)
        except Exception as mistake:
            reason = (
                f"{workload.name} keeps the configuration that it has: {mistake!r}, a mistake in meshwright"
            )
            log.exception(reason)
            return [reason]
        return await offer(self._world.server, workload, snapshot)

    async def _place(self, mesh: Mesh, objects: Sequence[Object]) -> bool:
        """Give proxies a listener for each service that came into their scope; says whether there was one."""
        scopes = Scopes(mesh)
        workloads = {workload.key: workload for workload in mesh.workloads}
        placed = False
        for pod in (o for o in objects if o["kind"] == "Pod"):
            given = ports.of(pod)
            mine = workloads.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))
            if mine is None or not given.used:
                continue
            wanted = self._world.allocator.calling(given, upstreams(scopes, mine))
            if wanted != given:
                await self._world.annotate(pod, wanted)
                placed = True
        return placed

    def _accept(self, mesh: Mesh, objects: Sequence[Object], withheld: Sequence[str]) -> None:
        if self._accepting:
            self._accepting.cancel()
        about = [
            o
            for o in objects
            if o["kind"]
            in (
                "VirtualService",
                "DestinationRule",
                "AuthorizationPolicy",
                "PeerAuthentication",
                "RequestAuthentication",
                "EnvoyFilter",
                "ServiceEntry",
                "WorkloadEntry",
                "Gateway",
                "Sidecar",
            )
        ]
        self._accepting = asyncio.create_task(
            self._say_accepted(mesh.workloads, about, withheld), name="acceptance"
        )

    async def _say_accepted(
        self, workloads: Sequence[Workload], about: Sequence[Object], withheld: Sequence[str]
    ) -> None:
        """Write the proxies' answers where `kubectl get` shows them, until all have accepted or the next publish.

        A proxy that is away, as all are after a control plane's death, is waited for as long as it takes.
        """
        server = self._world.server
        end, pause = time.monotonic() + _ACCEPT_SECONDS, 0.005
        written: tuple[int, str] | None = None
        while True:
            absent = left_out(self._world)
            states = [server.status(w.proxy_id) for w in workloads if w.proxy_id not in absent]
            acked = sum(s.acked for s in states)
            rejected = "; ".join(dict.fromkeys([*withheld, *(s.rejected for s in states if s.rejected)]))
            settled = all(s.acked or s.rejected or not s.connected for s in states)
            if (settled or time.monotonic() > end) and written != (acked, rejected):
                written, pause = (acked, rejected), _AGAIN_SECONDS
                message = rejected or f"accepted by {acked} of {len(states)} proxies"
                await self._write(about, not rejected and acked == len(states), message)
            if acked == len(states):
                return
            await asyncio.sleep(pause)

    async def _write(self, about: Sequence[Object], accepted: bool, message: str) -> None:
        condition = {"type": "Accepted", "status": str(accepted), "message": message}
        wrong = {p.place.file: str(p) for p in self.problems if p.severity is Severity.ERROR}
        for obj in about:
            own = wrong.get(origin(obj))
            status: Object = {
                "observedGeneration": obj["metadata"].get("generation", 1),
                "conditions": [{**condition, "status": "False", "message": own} if own else condition],
            }
            found = self._world.store.find(key_of(obj))
            if found is not None and found.get("status") != status:
                await self._write_status(obj, status)

    async def _write_status(self, obj: Object, status: Object) -> None:
        with contextlib.suppress(Refused):
            await self._world.store.edit(key_of(obj), lambda found: {**found, "status": status}, "status")


async def offer(server: Server, workload: Workload, snapshot: Snapshot) -> list[str]:
    """Publish a snapshot that is whole. A broken one is a mistake of the compiler's, of which a proxy that works must not hear.

    Says why the proxy keeps what it has, if it does.
    """
    if broken := snapshot.consistent():
        reason = f"{workload.name} keeps the configuration that it has: {'; '.join(broken)}"
        log.error(reason)
        return [reason]
    await server.publish(workload.proxy_id, snapshot)
    return []


def upstreams(scopes: Scopes, workload: Workload) -> list[ports.Upstream]:
    """What a proxy needs a listener for: each port of each service in its scope; a gateway has none for itself."""
    services = scopes.of(workload).services
    own = {s.hostname for s in services if any(e.workload == workload for e in s.endpoints)}
    skipped = own if workload.kind is Kind.ROUTER else set()
    found = ((s, p) for s in services if s.hostname not in skipped for p in s.ports)
    return [(service.hostname, port.number) for service, port in found if listened(service, port)]
