"""A real API server in a thread with a loop of its own, and the real clients that talk to it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from mesh.local.api import serve
from mesh.local.store import Object, Store
from mesh.local.store.refusal import bad_request
from mesh.resources.problem import Place, Problem, Severity

T = TypeVar("T")
KUBECTL = shutil.which("kubectl")
MISSING = "kubectl is not on PATH"


class Logs:
    """A log source of three lines, that goes on with one more when followed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool, int | None, datetime | None]] = []
        self.ended = threading.Event()
        self.speak = asyncio.Event()

    async def read(
        self, pod: Object, container: str, follow: bool, tail: int | None, since: datetime | None
    ) -> AsyncIterator[bytes]:
        self.asked.append((container, follow, tail, since))
        if "status" not in pod:
            raise bad_request(f"container {container} has not started")
        if follow and container == "quiet":
            await self.speak.wait()
        lines = [f"{pod['metadata']['name']} {container} {n}\n".encode() for n in range(3)]
        for line in lines[-tail if tail else 0 :]:
            yield line
        if follow:
            yield b"and more\n"
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.set()


class Ports:
    """Pods whose port 50051 is one server of this process, and that listen nowhere else."""

    def __init__(self) -> None:
        self._open = 0
        self.idle = threading.Event()

    async def connect(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.listening if port == 50051 else 1)

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._echo, "127.0.0.1", 0)
        self.listening = server.sockets[0].getsockname()[1]
        return server

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.idle.clear()
        try:
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()
        finally:
            self._open -= 1
            writer.close()
            if not self._open:
                self.idle.set()


def problems(proposed: Sequence[Object], objects: Sequence[Object]) -> list[Problem]:
    """What the linker would say, for the tests: hosts named like this are wrong, or nearly so."""
    found = []
    for obj in proposed:
        for at, host in enumerate((obj.get("spec") or {}).get("hosts") or ()):
            place = Place(f"VirtualService {host}", 0, f"spec.hosts[{at}]")
            if host == "unknown":
                found.append(
                    Problem(place, "MW0201", Severity.ERROR, f'unknown host "{host}"', "name a Service")
                )
            if host == "odd":
                found.append(Problem(place, "MW0202", Severity.WARNING, f'host "{host}" is odd', "rename it"))
    return found


class Running:
    """The server, from outside: ``run`` does something in its loop, as a controller would."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kubeconfig = directory / "kubeconfig"
        self.logs = Logs()
        self.ports = Ports()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._stack = AsyncExitStack()

    def start(self) -> Running:
        self._thread.start()
        self.run(self._open())
        return self

    def stop(self) -> None:
        self.run(self._stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(30)

    async def _open(self) -> None:
        self.store = await self._stack.enter_async_context(Store(self.directory / "state", validate=problems))
        await self._stack.enter_async_context(await self.ports.start())
        serving = serve(self.store, self.directory, self.logs, self.ports, "shop", bookmark_seconds=0.2)
        self.address = await self._stack.enter_async_context(serving)

    @property
    def token(self) -> str:
        return (self.directory / "api" / "token").read_text()

    def command(self, *args: str) -> list[str]:
        return [KUBECTL or "kubectl", "--kubeconfig", str(self.kubeconfig), *args]

    def environment(self, **more: str) -> dict[str, str]:
        return {**os.environ, "KUBECACHEDIR": str(self.directory / "cache"), **more}

    def kubectl(self, *args: str, sent: Any = None, code: int = 0, **environment: str) -> str:
        """Standard output and error of a kubectl that ends with that code."""
        done = subprocess.run(
            self.command(*args),
            input=None if sent is None else sent if isinstance(sent, str) else json.dumps(sent),
            capture_output=True,
            text=True,
            timeout=30,
            env=self.environment(**environment),
        )
        told = done.stdout + done.stderr
        assert done.returncode == code, told
        return told
