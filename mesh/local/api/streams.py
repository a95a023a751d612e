"""Answers without an end of their own (watches, followed logs), which all end when the server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Streams:
    """Every wait of an endless answer happens inside ``limit``; ``close`` makes all of them time out."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Timeout] = set()
        self.closed = False

    @asynccontextmanager
    async def limit(self, seconds: float | None) -> AsyncIterator[None]:
        """Raises TimeoutError when the wait takes longer or the server stops: ``closed`` tells which."""
        async with asyncio.timeout(0 if self.closed else seconds) as waiting:
            self._waiting.add(waiting)
            try:
                yield
            finally:
                self._waiting.discard(waiting)

    def close(self) -> None:
        self.closed = True
        for waiting in self._waiting:
            waiting.reschedule(asyncio.get_running_loop().time())
