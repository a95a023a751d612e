"""What the control plane says of itself while it starts and runs: one small file, replaced whole, that `mesh up` reads."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.local import workload
from mesh.local.deployment import ready
from mesh.local.store import kind
from mesh.resources.problem import Problem, Severity

if TYPE_CHECKING:
    from mesh.local.publisher import Publisher
    from mesh.local.world import World

Object = dict[str, Any]
#: So many restarts in a row mean that a workload will not come up by itself.
HOPELESS = 3
#: Reasons for which a workload is left out and everything else runs.
SKIPPED = ("MissingToolchain", "BuildFailed")


class Progress:
    """``phase`` is starting, ready, failed or stopping; ``waiting`` says for what.

    ``problems`` are of the objects as they are, ``refused`` of changed files that are not applied, ``warnings`` of files that are;
    ``building`` is what is being built, ``unbuilt`` what could not be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: Object = {
            "phase": "starting",
            "waiting": [],
            "problems": [],
            "refused": [],
            "warnings": [],
            "building": [],
            "unbuilt": [],
        }

    def say(self, phase: str, **more: object) -> None:
        """Write it, when it is news."""
        new = {**self._said, "phase": phase, **more}
        if new != self._said or not self._path.exists():
            self._said = new
            draft = self._path.with_suffix(".tmp")
            draft.write_text(json.dumps(new))
            os.replace(draft, self._path)  # noqa: PTH105 - atomic on purpose

    def failed(self, problems: Iterable[Problem], reason: str = "") -> None:
        """It cannot go on."""
        self.say("failed", problems=[str(p) for p in problems] or [reason])

    def files(self, problems: Sequence[Problem], refusal: str = "") -> None:
        """What was found in charts, values and mesh.yaml. With an error they are not applied: the mesh keeps its last good configuration."""
        errors = [
            *([refusal] if refusal else ()),
            *(str(p) for p in problems if p.severity is Severity.ERROR),
        ]
        warnings = [str(p) for p in problems if p.severity is not Severity.ERROR]
        kept = self._said["warnings"] if errors else warnings
        self.say(self._said["phase"], refused=errors, warnings=kept)

    async def follow(self, world: World, publisher: Publisher) -> None:
        """Keep it up to date with the store until cancelled."""
        while True:
            version = world.store.version
            self._look(world, publisher)
            try:
                async with asyncio.timeout(0.2):
                    await world.store.after(version)
            except TimeoutError:
                continue

    def _look(self, world: World, publisher: Publisher) -> None:
        if self._said["phase"] == "failed":
            return  # `mesh up` has yet to read why
        pods = world.pods()
        lost = [why(p) for p in pods if hopeless(p)]
        waiting = [
            *_short_of_pods(world, pods),
            *(why(p) for p in pods if not ready(p) and reason(p) not in SKIPPED),
        ]
        waiting += [
            f"{p['metadata']['name']}: its proxy has not accepted its configuration"
            for p in pods
            if _behind(p)
        ]
        errors = (p for p in publisher.problems if p.severity is Severity.ERROR)
        problems = list(dict.fromkeys(map(str, errors)))
        phase = "ready" if not waiting else self._said["phase"]
        if phase in ("starting", "failed") and lost:
            phase, problems = "failed", lost
        elif phase == "failed":
            problems = self._said["problems"]  # it is tried again, and nothing is known yet
        building, unbuilt = _messages(pods, "Building"), _messages(pods, "BuildFailed")
        self.say(phase, waiting=waiting, problems=problems, building=building, unbuilt=unbuilt)


def left_out(world: World) -> set[str]:
    """The proxies of workloads that cannot run on this machine: nobody waits for them."""
    pods = (pod for pod in world.pods() if reason(pod) in SKIPPED)
    return {workload.of(pod, world.trust_domain).proxy_id for pod in pods}


def _messages(pods: Iterable[Object], of: str) -> list[str]:
    """What the containers say that wait for a reason; once, where several pods run the same."""
    said = [
        s["state"]["waiting"]["message"]
        for p in pods
        if reason(p) == of
        for s in p["status"]["containerStatuses"]
    ]
    return list(dict.fromkeys(said))


def reason(pod: Object) -> str:
    """Why the first container that waits does so, in Kubernetes' one word."""
    for status in pod.get("status", {}).get("containerStatuses") or ():
        if "waiting" in status["state"]:
            return str(status["state"]["waiting"].get("reason", ""))
    return ""


def why(pod: Object) -> str:
    """What a person needs to read about a pod that is not ready."""
    name = pod["metadata"]["name"]
    conditions = pod.get("status", {}).get("conditions") or ()
    heard = [c["message"] for c in conditions if c["type"] == "Ready" and c.get("message")]
    for status in pod.get("status", {}).get("containerStatuses") or ():
        waiting = status["state"].get("waiting")
        if waiting:
            told = [waiting["message"]] if waiting.get("message") else heard
            return ": ".join([name, waiting.get("reason", "waiting"), *told])
        if not status["ready"]:
            return ": ".join([name, "not ready yet", *heard])
    return f"{name}: being started"


def hopeless(pod: Object) -> bool:
    """Whether a pod will not come up by itself."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    crashing = any(s["restartCount"] >= HOPELESS and "waiting" in s["state"] for s in statuses)
    return crashing or reason(pod) in ("ImageUnknown", "Failed")


def _short_of_pods(world: World, pods: list[Object]) -> list[str]:
    short = []
    for each in world.store.list(kind("Deployment")):
        wanted = int(each["spec"].get("replicas", 1))
        uid = each["metadata"]["uid"]
        have = sum(any(o.get("uid") == uid for o in p["metadata"].get("ownerReferences") or ()) for p in pods)
        if have < wanted:
            short.append(f"{each['metadata']['name']}: {have} of {wanted} pods")
    return short


def _behind(pod: Object) -> bool:
    return reason(pod) not in (*SKIPPED, "Building") and not (pod.get("status", {}).get("proxy") or {}).get(
        "acked"
    )
