"""Answers made of several services' parts: one that is missing is said to be, and the rest is answered.

Input: a call for a part. Output: its response, or None and a line in `missing`: what is missing and why, as a problem without its place.
A part may take PATIENCE at most, so that a leaf that hangs costs little.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from grpc import StatusCode

from services.kit.errors import CallFailed

T = TypeVar("T")


class Begin(Protocol):
    """Begins with a part: its name, and the call for it."""

    def __call__(self, part: str, call: Awaitable[T]) -> asyncio.Task[T | None]: ...


PATIENCE = 1.0


@dataclass(frozen=True)
class Missing:
    """A part that could not be had; `code` is gRPC's name of why."""

    part: str
    code: str
    reason: str


@dataclass(frozen=True)
class Parts:
    """The parts of one answer."""

    missing: list[Missing] = field(default_factory=list)

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Begin]:
        """Yields what begins with a part while others are had; what is still under way at the end is given up."""
        begun: list[asyncio.Task[Any]] = []

        def begin(part: str, call: Awaitable[T]) -> asyncio.Task[T | None]:
            begun.append(asyncio.create_task(self.of(part, call), name=part))
            return begun[-1]

        try:
            yield begin
        finally:
            for task in begun:
                task.cancel()

    async def of(self, part: str, call: Awaitable[T]) -> T | None:
        """The response, or None. That nobody knows the thing (NOT_FOUND) is an answer, too, and nothing is missing."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await call
        except CallFailed as error:
            if error.code is not StatusCode.NOT_FOUND:
                self.missing.append(Missing(part, error.code.name, error.reason))
        except TimeoutError:
            self.missing.append(Missing(part, StatusCode.DEADLINE_EXCEEDED.name, "ERROR_REASON_TIMED_OUT"))
        return None
