"""Everything that breaks: processes killed, databases locked, disks full. Each fault mends itself, or is mended.

A fault takes the running mesh and a source of chance, and returns what it did in a few words. Those of a cluster are in deletions, those of both in injections.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mesh.local import process
from mesh.local.paths import Paths
from tests.chaos import injections
from tests.scenarios.local import MESH, Local

SIDECAR, CONTROL_PLANE = "istio-proxy", "control-plane"
DATABASES = ("inventory", "payments", "shipping", "orders")
LONGEST = 1.5
Fault = Callable[["Mesh", random.Random], Awaitable[str]]


@dataclass(frozen=True)
class Mesh:
    """The shop by `mesh up` in a folder, and its Kubernetes API."""

    folder: Path
    engine: Local
    killed: Counter[Path] = field(default_factory=Counter)

    @property
    def paths(self) -> Paths:
        return Paths.below(self.folder)

    def records(self, sidecars: bool) -> list[Path]:
        """Of the processes that run now: sidecars, or what stands beside them."""
        found = sorted(self.paths.run.glob("pods/*/*.pid"))
        return [r for r in found if (r.stem == SIDECAR) is sidecars and r.stem != "observatory"]

    def spared(self, source: random.Random, sidecars: bool) -> Path:
        """One of those that were killed least often: who crashes again and again is restarted later and later, as in Kubernetes."""
        records = self.records(sidecars)
        fewest = min(self.killed[record] for record in records)
        chosen = source.choice([record for record in records if self.killed[record] == fewest])
        self.killed[chosen] += 1
        return chosen

    def database(self, service: str) -> Path | None:
        return next(self.paths.volumes.glob(f"{service}-*/data/{service}.db"), None)


async def kill_a_process(mesh: Mesh, source: random.Random) -> str:
    return _kill(mesh.spared(source, sidecars=False))


async def kill_a_sidecar(mesh: Mesh, source: random.Random) -> str:
    return _kill(mesh.spared(source, sidecars=True))


async def kill_the_control_plane(mesh: Mesh, source: random.Random) -> str:
    """What runs goes on without it, broken things stay broken, until the next takes over."""
    said = _kill(mesh.paths.control_plane)
    await asyncio.sleep(source.uniform(0.1, LONGEST))
    up = await asyncio.create_subprocess_exec(
        MESH,
        "up",
        "--detach",
        cwd=mesh.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text, _ = await up.communicate()
    if up.returncode:
        raise RuntimeError(f"mesh up: {text.decode()}")
    return f"{said}, and started again"


async def lock_a_database(mesh: Mesh, source: random.Random) -> str:
    """Somebody else writes, for longer than anybody likes."""
    service, seconds = source.choice(DATABASES), source.uniform(0.2, LONGEST)
    file = mesh.database(service)
    if file is None:
        return f"{service} has no database yet"
    connection = await asyncio.to_thread(_lock, file)
    if connection is None:
        return f"{service} is locked by others"
    try:
        await asyncio.sleep(seconds)
    finally:
        connection.close()
    return f"locked the database of {service} for {seconds:.1f} s"


async def fill_the_disk(mesh: Mesh, source: random.Random) -> str:
    """For one service: nothing that it writes finds room. Linux only; elsewhere a process cannot be told from outside."""
    mine = [record for record in mesh.records(sidecars=False) if record.stem in DATABASES]
    record = source.choice(mine)
    found = process.find(record)
    if found is None or not hasattr(os, "sched_getaffinity"):
        return f"{record.stem} is not there"
    seconds = source.uniform(0.2, LONGEST)
    before = _file_size(found.pid, 4096)
    try:
        await asyncio.sleep(seconds)
    finally:
        if before is not None:
            _file_size(found.pid, before)
    return f"no room for what {record.stem} writes for {seconds:.1f} s"


ALL: Sequence[Fault] = (
    kill_a_process,
    kill_a_process,
    kill_a_sidecar,
    kill_a_sidecar,
    kill_a_process,
    kill_the_control_plane,
    lock_a_database,
    fill_the_disk,
)


def _kill(record: Path) -> str:
    found = process.find(record)
    if found is None:
        return f"{record.stem} is not there"
    found.send(signal.SIGKILL)
    where = record.parent.name if record.stem != CONTROL_PLANE else "the mesh"
    return f"killed {record.stem} of {where}"


def _lock(file: Path) -> sqlite3.Connection | None:
    connection = sqlite3.connect(file, timeout=LONGEST, check_same_thread=False)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        connection.close()
        return None
    return connection


def _file_size(pid: int, limit: int) -> int | None:
    """Sets the soft limit of a process' files, in bytes; returns what it was. None: it has gone meanwhile."""
    import resource

    prlimit = resource.prlimit  # type: ignore[attr-defined,unused-ignore]
    try:
        soft, hard = prlimit(pid, resource.RLIMIT_FSIZE)
        prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
    except ProcessLookupError:
        return None
    return int(soft)


def of(mesh: Mesh) -> Sequence[Callable[[random.Random], Awaitable[str]]]:
    """All of them, for this mesh, and those that it injects itself."""
    return [*(functools.partial(fault, mesh) for fault in ALL), *injections.of(mesh.engine)]
