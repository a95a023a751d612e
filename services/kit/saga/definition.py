"""What a service says of a saga of its own: steps, and what to keep of each new state. Used by runner and operating."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.errors import CallFailed
from services.kit.saga.machine import Plan
from services.kit.saga.store import Saga

Act = Callable[[Saga], Awaitable[object]]
Changed = Callable[[AsyncConnection, Saga, str, CallFailed | None], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    """`do` and `undo` raise CallFailed; both may run twice, and `undo` without `do`. None: nothing to undo. `tries`: how often it is
    done while nobody knows whether it was; then it is undone. `final`: no way leads back from it. `patience`: how many failures, of
    doing or undoing, make it stuck; `limit` in seconds, after which a try is given up."""

    name: str
    do: Act
    undo: Act | None = None
    tries: int = 1
    final: bool = False
    patience: int = 10
    limit: float = 4.0


@dataclass(frozen=True)
class Definition:
    """`changed` is told each new state, the step that led to it and how that failed, if it did, inside the transaction
    that keeps the state."""

    kind: str
    steps: tuple[Step, ...]
    changed: Changed

    @property
    def plan(self) -> Plan:
        steps = len(self.steps)
        return Plan(steps, next((n for n, step in enumerate(self.steps) if step.final), steps))


@dataclass(frozen=True)
class Pace:
    """Seconds. Who works on a saga renews its `lease` three times before it ends. Failures are followed by rests that double, and
    those of a saga that is stuck by `stuck`."""

    lease: float = 6.0
    look: float = 0.5
    first_retry: float = 0.2
    longest_retry: float = 30.0
    stuck: float = 120.0
    batch: int = 16


USUAL = Pace()
