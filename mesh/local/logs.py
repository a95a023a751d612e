"""What containers wrote, as `kubectl logs` asks for it; and their ports, as `kubectl port-forward` does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

from mesh.local import ports
from mesh.local.paths import Paths
from mesh.local.sidecar import NAME
from mesh.local.store import Store, key_of
from mesh.local.store.refusal import bad_request

Object = dict[str, Any]
_POLL_SECONDS = 0.1
_PIECE = 65536


class Pods:
    """Implements the API's LogSource and PortForward over the runner's files and ports."""

    def __init__(self, paths: Paths, store: Store) -> None:
        self._paths, self._store = paths, store

    async def read(
        self, pod: Object, container: str, follow: bool, tail: int | None, since: datetime | None
    ) -> AsyncIterator[bytes]:
        """Pieces of the log as they come. ``since`` is not kept by plain files: lines are from the last start on."""
        path = self._path(pod, container)
        with path.open("rb") as file:
            if tail is not None:
                file.seek(_start_of_last(path, tail))
            while True:
                piece = file.read(_PIECE)
                if piece:
                    yield piece
                elif not follow or self._store.find(key_of(pod)) is None:
                    return
                else:
                    await asyncio.sleep(_POLL_SECONDS)

    async def connect(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to what a container port is on this machine."""
        given = ports.of(pod)
        return await asyncio.open_connection(
            "127.0.0.1", given.application.get(port) or given.gateway.get(port) or port
        )

    def _path(self, pod: Object, container: str) -> Path:
        name = pod["metadata"]["name"]
        path = self._paths.log(name, container)
        if not path.is_file() and self._paths.log(name, NAME).is_file() and container == NAME:
            path = self._paths.log(name, NAME)
        if not path.is_file():
            raise bad_request(f"container {container!r} in pod {name!r} has not started")
        return path


def _start_of_last(path: Path, lines: int) -> int:
    """The offset at which the last ``lines`` lines begin."""
    if lines <= 0:
        return path.stat().st_size
    data = path.read_bytes()
    at = len(data.removesuffix(b"\n"))
    for _ in range(lines):
        at = data.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return at + 1
