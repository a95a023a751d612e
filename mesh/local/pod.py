"""One Pod's life: ports and certificate, sidecar before application, status all along, and an end in the right order.

The runner starts one of these for each Pod of the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from datetime import UTC, datetime
from functools import partial
from typing import Any

from mesh.ca.certificate import CertificateError
from mesh.local import keyed, ports, process, sidecar, workload
from mesh.local.build import BuildFailed, build
from mesh.local.container import Container, Spec
from mesh.local.deployment import ready
from mesh.local.store import Deletion, Key, Refused, key_of, record
from mesh.local.workload import NotHere
from mesh.local.world import World
from mesh.resources.problem import Problem, Severity

Object = dict[str, Any]
PROXY_SECONDS = 20.0
SETTLE_SECONDS = 2.0


class PodTask:
    """Owns the processes of one Pod until the Pod is deleted or the control plane leaves."""

    def __init__(self, world: World, pod: Object) -> None:
        self._world = world
        self._pod = pod
        self.where: Key = key_of(pod)
        self._grace = float(pod["spec"].get("terminationGracePeriodSeconds", 30))
        self._deleted = asyncio.Event()
        self._changed = asyncio.Event()
        self._containers: list[Container] = []
        self._proxy: Container | None = None
        self._obstacle: NotHere | None = None
        self._told: dict[str, tuple[str, str, bool]] = {}

    def delete(self, grace: float) -> None:
        """The Pod is to go, its processes within ``grace`` seconds."""
        self._grace = grace
        self._deleted.set()

    async def run(self) -> None:
        """Until the Pod is gone. Cancelled, it leaves all processes running, to be adopted by the next control plane."""
        living = asyncio.create_task(self._live(), name=f"pod {self.where.name}")
        try:
            await self._deleted.wait()
        finally:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
        await self._end()

    async def _live(self) -> None:
        try:
            await self._prepare()
        except (NotHere, CertificateError, ports.NoPort, OSError) as obstacle:
            reason = obstacle.reason if isinstance(obstacle, NotHere) else "Failed"
            self._obstacle = NotHere(reason, str(obstacle))
            await self._event(reason, str(obstacle), warning=True)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._report())
            if self._proxy:
                group.create_task(self._proxy.run())
                await self._proxy_ready()
            for container in self._containers:
                group.create_task(container.run())

    async def _prepare(self) -> None:
        """Everything that must be there before the first process: address, ports, certificate, commands."""
        pod = await self._world.allocate(self.where)
        self._pod = pod
        await self._build()
        mine = workload.of(pod, self._world.trust_domain)
        gateway = workload.is_gateway(mine)
        specs: list[Spec] = (
            []
            if gateway
            else workload.specs(
                pod, self._world.config, self._world.paths, self._find, self._world.observatory
            )
        )
        await self._world.rotation.add(mine.proxy_id, mine.identity, f"{mine.name}.{mine.namespace}")
        status = partial(self._world.server.status, mine.proxy_id)
        self._proxy = Container(
            sidecar.spec(self._world.paths, mine, status, self._world.observatory is not None),
            self._changed.set,
        )
        self._containers = [Container(spec, self._changed.set) for spec in specs]
        self._remember()

    async def _build(self) -> None:
        """What its containers run, as far as it is to be built. Raises NotHere: then it is left out."""
        config, paths = self._world.config, self._world.paths
        for container in self._pod["spec"]["containers"]:
            name = config.known(container["image"])
            image = config.settings.images[name] if name else None
            if name is None or image is None or image.missing or not image.build:
                continue
            try:
                await build(name, image, config, paths.build_log(name), self._building)
            except BuildFailed as failed:
                raise NotHere("BuildFailed", str(self._not_built(name, failed))) from failed
            self._obstacle = None

    async def _building(self, text: str) -> None:
        self._obstacle = NotHere("Building", text)
        await self._write_status(self._status())

    def _not_built(self, name: str, failed: BuildFailed) -> Problem:
        log = self._world.paths.build_log(name)
        fix = f"all that it said is in {log}; once it is mended: kubectl delete pod {self.where.name}"
        text = f"{name} cannot be built, and is left out: {failed}"
        return Problem(self._world.config.builds[name], "MW0506", Severity.WARNING, text, fix)

    def _find(self, kind: str, name: str) -> Object | None:
        return self._world.find(self.where.namespace, kind, name)

    def refill(self, changed: tuple[str, str, str]) -> None:
        """A ConfigMap or a Secret (namespace, kind, name) is another now: the files of it that are mounted follow."""
        namespace, *one = changed
        if namespace == self.where.namespace and tuple(one) in keyed.mentioned(self._pod):
            with contextlib.suppress(NotHere):  # it was deleted: what was mounted stays, as in Kubernetes
                workload.fill(self._pod, self._world.paths, self._find)

    def _remember(self) -> None:
        """What the Pod says of its containers holds on for those that still run."""
        assert self._proxy is not None
        known = {s["name"]: s for s in self._pod.get("status", {}).get("containerStatuses") or ()}
        for container in self._containers:
            if container.spec.name in known:
                container.remember(known[container.spec.name])
        if known:
            own = {} if self._containers else next(iter(known.values()))  # a gateway has no other container
            up = ready(self._pod)
            self._proxy.remember({"state": {"running": {}}, **own, "ready": up, "started": up})

    async def _proxy_ready(self) -> None:
        """The application starts when its sidecar can carry its calls (Istio's holdApplicationUntilProxyStarts)."""
        assert self._proxy is not None
        try:
            async with asyncio.timeout(PROXY_SECONDS):
                await self._proxy.started.wait()
        except TimeoutError:
            await self._event("ProxyNotReady", self._proxy.message, warning=True)
            await self._proxy.started.wait()

    async def _report(self) -> None:
        """Write the Pod's status whenever something about it has changed."""
        while True:
            self._changed.clear()
            await self._write_status(self._status())
            await self._tell()
            await self._changed.wait()

    async def _tell(self) -> None:
        """What has happened to the containers, as events."""
        for container in (*([self._proxy] if self._proxy else ()), *self._containers):
            happened = container.happened()
            if happened and self._told.get(container.spec.name) != happened:
                self._told[container.spec.name] = happened
                await self._event(*happened)

    async def _write_status(self, status: Object) -> None:
        def change(pod: Object) -> Object:
            return {**pod, "status": {**pod.get("status", {}), **status}}

        with contextlib.suppress(Refused):
            await self._world.store.edit(self.where, change, "status")

    def _status(self) -> Object:
        proxy = [self._proxy] if self._proxy else []
        told = self._containers or proxy
        serving = bool(told) and all(c.ready for c in (*told, *proxy))
        unready = "; ".join(
            f"{c.spec.name}: {c.message}" for c in (*proxy, *self._containers) if not c.ready and c.message
        )
        statuses = [c.status() for c in told]
        if self._obstacle:
            waiting = {"waiting": {"reason": self._obstacle.reason, "message": self._obstacle.message}}
            statuses = [_not_here(c, waiting) for c in self._pod["spec"]["containers"]]
        elif not self._containers and self._proxy and statuses:
            statuses[0] = {**statuses[0], "name": self._pod["spec"]["containers"][0]["name"]}
        return {
            "phase": "Running" if any("running" in s["state"] for s in statuses) else "Pending",
            "hostIP": "127.0.0.1",
            "startTime": self._pod["metadata"]["creationTimestamp"],
            "containerStatuses": statuses,
            "conditions": [_condition(kind, serving, unready) for kind in ("Ready", "ContainersReady")],
        }

    async def _end(self) -> None:
        """Callers first learn that it is gone, then it is asked to drain, then its sidecar goes."""
        await self._world.settled(SETTLE_SECONDS)
        async with asyncio.TaskGroup() as group:
            for container in self._containers:
                group.create_task(container.stop(self._grace))
        if self._proxy:
            await self._proxy.stop(5)
        await self.forget()

    async def kill(self, grace: float) -> None:
        """Stop the processes, the application before its sidecar, and leave the Pod in the store."""
        async with asyncio.TaskGroup() as group:
            for container in self._containers:
                group.create_task(container.stop(grace))
        if self._proxy:
            await self._proxy.stop(2)

    async def forget(self) -> None:
        """Nothing of the Pod stays but its logs."""
        name = self.where.name
        for leftover in self._world.paths.pod(name).glob("*.pid"):
            if running := process.find(leftover):
                await running.stop(1)
        shutil.rmtree(self._world.paths.pod(name), ignore_errors=True)
        shutil.rmtree(self._world.paths.volumes / name, ignore_errors=True)
        self._world.release(self._pod)
        with contextlib.suppress(Refused):
            await self._world.store.delete(self.where, Deletion(grace=0))

    async def _event(self, reason: str, message: str, warning: bool = False) -> None:
        with contextlib.suppress(Refused):
            await record(self._world.store, self._pod, reason, message, datetime.now(UTC), warning)


def _not_here(container: Object, waiting: Object) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": waiting,
        "lastState": {},
    }


def _condition(kind: str, true: bool, message: str) -> Object:
    """What its readiness probe last heard goes with a pod that is not ready."""
    if true:
        return {"type": kind, "status": "True"}
    return {"type": kind, "status": "False", "reason": "ContainersNotReady", "message": message}
