"""Builds what an image's command runs, as mesh.yaml says: each step when what it makes is missing or older than its sources.

Input: an Image with its steps. Output: the files that they make, and a log. Used by ``pod`` before it starts a container, and by
`mesh build`. Several meshes may share a folder: one at a time builds in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shlex
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from mesh.local.config import Config, Image, Step, inherited

Say = Callable[[str], Awaitable[None]]
LIMIT_SECONDS = 900.0
_TURN_SECONDS = 0.1
_SHOWN_LINES = 8


class BuildFailed(Exception):
    """The text says which step, how it ended and the last that it said."""


async def build(name: str, image: Image, config: Config, log: Path, say: Say) -> None:
    """Run the steps that are due, their output in ``log``; ``say`` is told of each before it runs. Raises BuildFailed."""
    folder = (config.root / image.cwd).resolve()
    if not any(due(step, folder) for step in image.build):
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    async with _turn(folder):
        for step in image.build:
            if due(step, folder):
                await say(f"building {name}: {shlex.join(step.run)}")
                await _run(step, image, config, folder, log)


def due(step: Step, folder: Path) -> bool:
    """Whether what it makes is missing, or older than a source. A folder is as new as the newest thing in it."""
    try:
        made = (folder / step.makes).stat().st_mtime_ns
    except OSError:
        return True
    return any(_changed(path) > made for source in step.sources for path in _below(folder / source))


def _below(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir():
        yield from path.rglob("*")


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # it may go at any moment; what it belongs to has then changed
        return 0


async def _run(step: Step, image: Image, config: Config, folder: Path, log: Path) -> None:
    program = image.program(config.root, step.run[0]) or step.run[0]
    with log.open("wb") as output:
        output.write(f"$ {shlex.join(step.run)}\n".encode())
        output.flush()
        code = await _ended(
            [program, *step.run[1:]],
            {**os.environ, **inherited(config.root), **image.env},
            folder,
            output.fileno(),
        )
    made = folder / step.makes
    if code != 0:
        raise BuildFailed(
            f"`{shlex.join(step.run)}` {code if isinstance(code, str) else f'ended with {code}'}: {_last(log)}"
        )
    if not made.exists():
        raise BuildFailed(f"`{shlex.join(step.run)}` did not make {step.makes}")
    os.utime(made)  # a tool that finds nothing to do leaves it as old as it was


async def _ended(command: list[str], environment: dict[str, str], folder: Path, output: int) -> int | str:
    """Its exit code, or why there is none. Whoever is cancelled takes it along, with all that it started."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be started: {error}"
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await child.wait()
    except TimeoutError:
        return f"took longer than {LIMIT_SECONDS:g} s"
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()


def _last(log: Path) -> str:
    """The end of what it said, the command itself left out."""
    lines = log.read_text(errors="replace").splitlines()[1:]
    return "\n".join(["", *(f"    {line}" for line in lines[-_SHOWN_LINES:])]) if lines else "it said nothing"


@asynccontextmanager
async def _turn(folder: Path) -> AsyncIterator[None]:
    """Waits until nobody else builds there."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        while True:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                await asyncio.sleep(_TURN_SECONDS)
        yield
    finally:
        os.close(directory)
