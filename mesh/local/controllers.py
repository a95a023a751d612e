"""Deployments kept at their replicas, and a PodTask for each Pod. Two tasks of the control plane."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import string
from typing import Any

from mesh.local import deployment
from mesh.local.pod import PodTask
from mesh.local.store import Key, Refused, key_of, kind, uid_of
from mesh.local.world import World

Object = dict[str, Any]
_MOUNTED = {"configmaps": "ConfigMap", "secrets": "Secret"}
_LETTERS = string.ascii_lowercase + string.digits


def _suffix() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


async def deployments(world: World) -> None:
    """Reconcile every Deployment whenever a Deployment or a Pod changes."""
    while True:
        version = world.store.version
        for each in world.store.list(kind("Deployment")):
            await _reconcile(world, each)
        while True:
            events = await world.store.after(version)
            if not events:
                return
            version = events[-1].version
            if any(e.key.resource in ("deployments", "pods") for e in events):
                break


async def _reconcile(world: World, each: Object) -> None:
    mine = [p for p in world.pods() if _owned(p, uid_of(each))]
    mine.sort(key=lambda p: (p["metadata"]["creationTimestamp"], p["metadata"]["name"]))
    given: list[str] = []

    def address() -> str:
        given.append(world.free_address(given))
        return given[-1]

    step = deployment.reconcile(each, mine, _suffix, address)
    for pod in step.create:
        await world.store.create(pod)
    for pod in step.delete:
        with contextlib.suppress(Refused):
            await world.store.delete(key_of(pod))
    if each.get("status") != step.status:
        with contextlib.suppress(Refused):
            await world.store.edit(key_of(each), lambda d: {**d, "status": step.status}, "status")


def _owned(pod: Object, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences") or ())


class Pods:
    """Starts a PodTask for each Pod, tells it when the Pod is to go, and stops them all at the end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tasks: dict[str, tuple[PodTask, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Follow the store until cancelled; processes then go on running."""
        async with asyncio.TaskGroup() as group:
            version = self._world.store.version
            for pod in self._world.pods():
                self._see(group, pod)
            while events := await self._world.store.after(version):
                version = events[-1].version
                for key in {e.key for e in events if e.key.resource == "pods"}:
                    found = self._world.store.find(key)
                    if found is None:
                        self._gone(key)
                    else:
                        self._see(group, found)
                for key in {e.key for e in events if e.key.resource in _MOUNTED}:
                    for task, _ in self._tasks.values():
                        task.refill((key.namespace, _MOUNTED[key.resource], key.name))

    def _see(self, group: asyncio.TaskGroup, pod: Object) -> None:
        uid = uid_of(pod)
        if uid not in self._tasks:
            task = PodTask(self._world, pod)
            self._tasks[uid] = (task, group.create_task(task.run(), name=f"pod {pod['metadata']['name']}"))
        if pod["metadata"].get("deletionTimestamp"):
            self._tasks[uid][0].delete(int(pod["metadata"].get("deletionGracePeriodSeconds") or 0))

    def _gone(self, where: Key) -> None:
        """A Pod deleted with no grace at all: its processes go with it."""
        for task, _ in self._tasks.values():
            if task.where == where:
                task.delete(0)

    async def stop(self, grace: float) -> None:
        """Stop every process. Call it when ``run`` has been cancelled."""
        async with asyncio.TaskGroup() as group:
            for task, _ in self._tasks.values():
                group.create_task(task.kill(grace))
