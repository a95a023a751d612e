"""One container as a process: started or adopted, probed, restarted with back-off; its state as Kubernetes tells it.

``pod`` owns a Container for each of its containers and the sidecar's Envoy.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesh.local import process
from mesh.local.probe import Question
from mesh.local.process import Process

Object = dict[str, Any]
#: Kubernetes' back-off: none after the first end, then doubling from 10 s to 5 minutes; on a developer's machine it begins at 1 s.
FIRST_BACKOFF, LAST_BACKOFF = 1.0, 300.0
_STEADY_SECONDS = 60.0
LOG_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class Spec:
    """What to run and how to ask it how it is."""

    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    record: Path
    startup: Question | None = None
    readiness: Question | None = None
    liveness: Question | None = None


@dataclass
class Container:
    """Runs until it is stopped. ``changed`` is called whenever its status is another one."""

    spec: Spec
    changed: Callable[[], None]
    ready: bool = False
    started: asyncio.Event = field(default_factory=asyncio.Event)
    restarts: int = 0
    state: Object = field(default_factory=lambda: {"waiting": {"reason": "ContainerCreating"}})
    last: Object = field(default_factory=dict)
    message: str = ""
    _process: Process | None = None
    _was_ready: bool = False

    async def run(self) -> None:
        """Start it, and again whenever it ends, until cancelled; a cancelled container's process goes on running."""
        backoff = 0.0
        while True:
            begun = asyncio.get_running_loop().time()
            running = self._process = process.find(self.spec.record) or self._start()
            if running:
                if "running" not in self.state:
                    self._set({"running": {"startedAt": _now()}})
                await self._watch(running)
            if asyncio.get_running_loop().time() - begun > _STEADY_SECONDS:
                backoff = 0.0
            self.restarts += 1
            waiting = {
                "reason": "CrashLoopBackOff",
                "message": f"restarting in {backoff:g} s. {self.message}",
            }
            self._set({"waiting": waiting})
            await asyncio.sleep(backoff)
            backoff = min(max(FIRST_BACKOFF, 2 * backoff), LAST_BACKOFF)

    def remember(self, status: Object) -> None:
        """Take up from what its Pod says of it: a control plane that was killed has left its process running, and callers with it."""
        self.restarts = int(status.get("restartCount", 0))
        self.last = status.get("lastState") or {}
        if not process.find(self.spec.record):
            self.restarts += "running" in status["state"]
            return
        self.ready, self.state = bool(status["ready"]), status["state"]
        if status["started"]:
            self.started.set()

    async def stop(self, grace: float) -> None:
        """Ask it to end, and after ``grace`` seconds make it."""
        running = self._process or process.find(self.spec.record)
        self.ready = False
        if running:
            await running.stop(grace)

    def happened(self) -> tuple[str, str, bool] | None:
        """The latest as an event: reason, message, whether it is a warning."""
        name = self.spec.name
        if "running" in self.state:
            if self.ready or not self._was_ready:
                return "Started", f"Started container {name}", False
            return "Unhealthy", f"Readiness probe failed: {name}: {self.message}", True
        reason, message = self.state["waiting"]["reason"], self.state["waiting"].get("message", "")
        return (
            (reason.replace("CrashLoopBackOff", "BackOff"), f"{name}: {message}", True) if message else None
        )

    def status(self) -> Object:
        """As a Pod's containerStatuses has it."""
        return {
            "name": self.spec.name,
            "image": self.spec.image,
            "imageID": f"local://{self.spec.image}",
            "ready": self.ready,
            "started": self.started.is_set(),
            "restartCount": self.restarts,
            "state": self.state,
            "lastState": self.last,
        }

    def _start(self) -> Process | None:
        spec = self.spec
        try:
            return process.start(spec.command, spec.environment, spec.directory, spec.log, spec.record)
        except OSError as error:
            self.message = f"{spec.command[0]} cannot be started: {error}"
            return None

    async def _watch(self, running: Process) -> None:
        """Probe it until it ends or is found dead."""
        probing = asyncio.create_task(self._probe(running), name=f"probe {self.spec.name}")
        try:
            code = await running.wait()
        finally:
            probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probing
        self.ready = self._was_ready = False
        self.started.clear()
        self.message = ended(code, self.spec.log)
        self.last = {"terminated": {**terminated(code), "finishedAt": _now()}}
        running.forget()

    async def _probe(self, running: Process) -> None:
        spec = self.spec
        if spec.startup and not self.started.is_set() and not await self._succeeds(spec.startup):
            await self._kill(running, "startup")
            return
        self.started.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._readiness())
            if spec.liveness:
                group.create_task(self._liveness(spec.liveness, running))

    async def _succeeds(self, probe: Question) -> bool:
        await asyncio.sleep(probe.delay)
        for _ in range(probe.failures):
            self._heard(await probe.ask())
            if not self.message:
                return True
            await asyncio.sleep(min(probe.period, 0.1))
            for _ in range(int(probe.period / 0.1) - 1):
                self._heard(await probe.ask())
                if not self.message:
                    return True
                await asyncio.sleep(0.1)
        return False

    async def _readiness(self) -> None:
        probe = self.spec.readiness
        if probe is None:
            self._ready(True)
            return
        failures = successes = 0
        while True:
            self._heard(await probe.ask())
            failures, successes = (failures + 1, 0) if self.message else (0, successes + 1)
            if successes >= probe.successes:
                self._ready(True)
            elif failures >= probe.failures:
                self._ready(False)
            _limit(self.spec.log)
            await asyncio.sleep(probe.period if self.ready else min(probe.period, 0.2))

    async def _liveness(self, probe: Question, running: Process) -> None:
        failures = 0
        while failures < probe.failures:
            await asyncio.sleep(probe.period)
            reason = await probe.ask()
            failures = failures + 1 if reason else 0
        await self._kill(running, "liveness")

    async def _kill(self, running: Process, which: str) -> None:
        self.message = f"its {which} probe failed: {self.message}"
        await running.stop(grace=5)

    def _heard(self, message: str) -> None:
        if message != self.message:
            self.message = message
            self.changed()

    def _ready(self, ready: bool) -> None:
        if ready != self.ready:
            self.ready = ready
            self._was_ready = self._was_ready or ready
            self.changed()

    def _set(self, state: Object) -> None:
        self.state = state
        self.changed()


def terminated(code: int | None) -> Object:
    """An exit code as Kubernetes tells it: 128 and the signal's number for a signal; nobody knows that of an adopted process."""
    if code is None:
        return {"exitCode": 137, "reason": "ContainerStatusUnknown"}
    return {"exitCode": code if code >= 0 else 128 - code, "reason": "Error" if code else "Completed"}


def ended(code: int | None, log: Path) -> str:
    """How it ended, with the last lines that it wrote: most often they say why."""
    if code is not None and code < 0:
        how = f"it was ended by {signal.Signals(-code).name}"
    else:
        how = "it ended" if code is None else f"it ended with exit code {code}"
    lines = log.read_text(errors="replace").splitlines()[-5:] if log.is_file() else []
    return f"{how}; its last lines: " + " | ".join(lines) if lines else f"{how} and wrote nothing"


def _limit(log: Path) -> None:
    """A log that grew too long starts anew; the process goes on appending to the same file."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > LOG_LIMIT:
            log.with_suffix(".1.log").write_bytes(log.read_bytes()[-LOG_LIMIT // 2 :])
            with log.open("r+b") as file:
                file.truncate(0)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
