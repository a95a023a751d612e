"""What the API is given to serve: the store, and where logs and forwarded ports come from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from mesh.local.api.streams import Streams
from mesh.local.store import Object, Store

BOOKMARK_SECONDS = 60.0
"""How often a quiet watch that asked for bookmarks gets one (kube-apiserver's interval)."""


class LogSource(Protocol):
    """Where `kubectl logs` reads. Implemented by the runner."""

    def read(
        self, pod: Object, container: str, follow: bool, tail: int | None, since: datetime | None
    ) -> AsyncIterator[bytes]:
        """What the container wrote, in pieces as they come; with ``follow`` until the container is gone.

        ``tail``: only the last so many lines. ``since``: only lines from this time on. Raises Refused when
        there is nothing to read from (400, BadRequest: the container has not started).
        """
        ...


class PortForward(Protocol):
    """How `kubectl port-forward` reaches a port of a pod. Implemented by the runner."""

    async def connect(self, pod: Object, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to what the pod's container port is on this machine.

        Raises OSError when nothing listens there.
        """
        ...


@dataclass(frozen=True)
class Service:
    """Everything a handler needs beside its request."""

    store: Store
    logs: LogSource | None = None
    ports: PortForward | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    bookmark_seconds: float = BOOKMARK_SECONDS
    streams: Streams = field(default_factory=Streams)
