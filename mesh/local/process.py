"""Processes that outlive the control plane: started in a session of their own, found again by pid and start time.

The runner starts containers and sidecars through here. A Process is remembered in a small file, so that a control plane that was killed
finds what still runs and `mesh down` can stop it. The file is there before the process is, which has its name in its environment:
whoever is killed between starting and remembering leaves nothing that cannot be found.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.1
_MARK = "MESHWRIGHT_RECORD"


@dataclass(frozen=True)
class Process:
    """A process, told apart from another that was given its number later by the time at which it began."""

    pid: int
    began: str
    record: Path

    @property
    def alive(self) -> bool:
        return bool(self.began) and began(self.pid) == self.began

    def send(self, number: int) -> None:
        """Signal the process and all it started. A process that is gone is no error."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def wait(self) -> int | None:
        """Wait until it ends; its exit code (negative: the signal), or None when it was adopted and nobody was told."""
        while self.alive:  # noqa: ASYNC110 - an adopted process is nobody's child: there is no event to wait for
            await asyncio.sleep(_POLL_SECONDS)
        return reap(self.pid)

    async def stop(self, grace: float) -> None:
        """SIGTERM, after ``grace`` seconds SIGKILL; returns when it is gone and forgets it."""
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace):
                await self.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self.wait()
        self.forget()

    def forget(self) -> None:
        self.record.unlink(missing_ok=True)


def start(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path, record: Path
) -> Process:
    """Start a command in a session of its own, its output appended to ``log``. Raises OSError when it cannot be started."""
    log.parent.mkdir(parents=True, exist_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        record.write_text("{}")
        try:
            child = subprocess.Popen(
                command,
                env={**environment, _MARK: str(record)},
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError:
            record.unlink()
            raise
    _CHILDREN[child.pid] = child
    made = Process(child.pid, began(child.pid), record)
    record.write_text(json.dumps({"pid": made.pid, "began": made.began}))
    return made


def find(record: Path) -> Process | None:
    """The process that ``record`` remembers, if it still runs."""
    try:
        data = json.loads(record.read_text())
        found = Process(int(data["pid"]), str(data["began"]), record)
    except OSError:
        return None
    except (ValueError, KeyError, TypeError):
        return next((Process(pid, began(pid), record) for pid in _marked(record)), None)
    return found if found.alive else None


def _marked(record: Path) -> Iterator[int]:
    """Leaders of a session with the record's name in their environment: what was started but not remembered."""
    mark = f"{_MARK}={record}"
    if Path("/proc/self").exists():
        everything = (
            (p.name, _environ(p / "environ")) for p in Path("/proc").iterdir() if p.name.isdecimal()
        )
    else:
        command = ["ps", "-axww", "-E", "-o", "pid=,command="]
        lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
        everything = ((pid, text.split()) for pid, _, text in (line.strip().partition(" ") for line in lines))
    for pid, environment in everything:
        if mark in environment:
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(int(pid)) == int(pid):
                    yield int(pid)


def _environ(file: Path) -> Sequence[str]:
    try:
        return file.read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ()


#: Children of this process, so that their exit codes can be read.
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


def reap(pid: int) -> int | None:
    """The exit code of a child that has ended."""
    child = _CHILDREN.pop(pid, None)
    return child.wait() if child else None


def began(pid: int) -> str:
    """When a process began, in the system's own words; "" when it has ended (a zombie has)."""
    proc = Path("/proc")
    return _from_proc(proc / str(pid) / "stat") if (proc / "self").exists() else _from_ps(pid)


def _from_proc(stat: Path) -> str:
    """Linux: the state and the start time in clock ticks, fields 3 and 22 of proc(5)."""
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _from_ps(pid: int) -> str:
    command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    state, _, since = done.stdout.strip().partition(" ")
    return "" if not state or state.startswith("Z") else since.strip()
