"""What all brokers have in common that run as a process: a folder, ports, a log, and that they can be killed."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

SMALL = 65536
"""Bytes: the largest message that a broker takes when a test does not say otherwise, where that can be said."""
PATIENCE = 60.0


class Server(Protocol):
    """A broker that tests use, each with topics of its own. `largest` is how many bytes a message may have, about."""

    largest: int

    @property
    def url(self) -> str: ...

    async def start(self) -> None:
        """Returns once it takes connections, on the port that it had before; at once when it runs."""
        ...

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Sends it a signal, and returns once it has ended."""
        ...

    def send(self, what: signal.Signals) -> None: ...

    async def end(self) -> None:
        """Nothing of it runs any more."""
        ...


class Process:
    """A process that is the leader of a group, since some brokers start by a script; no event loop owns it."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self, command: Sequence[str | Path], env: Mapping[str, str], port: int) -> None:
        """Returns once it listens on `port`."""
        self.spawn(command, env)
        async with asyncio.timeout(PATIENCE):
            while not await listens(port):
                self.check()
                await asyncio.sleep(0.05)

    def spawn(self, command: Sequence[str | Path], env: Mapping[str, str]) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env=env, stdout=output, stderr=output, start_new_session=True
            )

    def check(self) -> None:
        assert self.runs, self._log.read_text()

    def send(self, what: signal.Signals) -> None:
        os.killpg(self.pid, what)

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        if self._process is None:
            return
        if self.runs:
            self.send(how)
        await asyncio.to_thread(self._process.wait, PATIENCE)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  of files and processes nobody tells
            await asyncio.sleep(0.01)


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
