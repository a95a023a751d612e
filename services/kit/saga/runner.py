"""Carries sagas out, and takes over those whose process died.

Input: sagas that a service has added in a transaction of its own, and those in the database that nobody works on.
Output: the steps' effects, and after each the service's own `changed` in the same transaction as the saga's new state.

A saga that begins in a call runs in that call's context: its steps have the call's deadline and trace. Undoing has time
of its own, since the call's may be over. What cannot be undone now is left to be tried again later, by anybody.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from grpc import StatusCode
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.typing import FilteringBoundLogger

from services.kit.call import CURRENT, Call, Origin
from services.kit.database import Database
from services.kit.errors import CallFailed, Unavailable
from services.kit.saga import machine, store
from services.kit.saga.machine import Outcome, Phase, Plan
from services.kit.saga.store import Saga

Act = Callable[[Saga], Awaitable[object]]
Changed = Callable[[AsyncConnection, Saga, str, CallFailed | None], Awaitable[None]]


@dataclass(frozen=True)
class Step:
    """`do` and `undo` raise CallFailed; both may run twice, and `undo` without `do`. None: nothing to undo. `tries`: how often it is
    done while nobody knows whether it was; then it is undone. `final`: no way leads back from it."""

    name: str
    do: Act
    undo: Act | None = None
    tries: int = 1
    final: bool = False


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
    """Seconds. A step is given up after `step`, which is less than `lease`, so that nobody else takes over meanwhile."""

    step: float = 4.0
    lease: float = 6.0
    look: float = 0.5
    first_retry: float = 0.2
    longest_retry: float = 30.0
    batch: int = 16


class Runner:
    """One a process. `tasks` owns what it starts."""

    def __init__(
        self,
        database: Database,
        definitions: Mapping[str, Definition],
        owner: str,
        tasks: asyncio.TaskGroup,
        now: Callable[[], datetime],
        log: FilteringBoundLogger,
        origin: Origin,
        pace: Pace = Pace(),
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._owner = owner
        self._tasks = tasks
        self._now = now
        self._log = log
        self._origin = origin
        self._pace = pace
        self._undecided: dict[str, asyncio.Event] = {}

    async def begin(self, connection: AsyncConnection, saga: Saga) -> None:
        """Adds a saga in the service's transaction; `carry_out` follows once that is committed."""
        await store.add(connection, saga, self._owner, self._lease_end())

    def carry_out(self, saga: Saga) -> None:
        """Starts on a saga whose lease is ours."""
        self._undecided[saga.id] = asyncio.Event()
        self._tasks.create_task(self._drive(saga), name=f"{saga.kind} {saga.id}")

    async def decided(self, saga: str, seconds: float, look: float) -> None:
        """Returns when a saga of this process has left FORWARD, or rests before another try; for another's, after `look`; at the latest after
        `seconds`."""
        if undecided := self._undecided.get(saga):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(undecided.wait(), seconds)
        else:
            await asyncio.sleep(min(look, seconds))

    async def take_over(self) -> None:
        """Looks for sagas that nobody works on, for ever. While the database is gone there is nothing to find."""
        while True:
            try:
                async with self._database.write() as connection:
                    lease = timedelta(seconds=self._pace.lease)
                    found = await store.take_due(
                        connection, self._owner, self._now(), lease, self._pace.batch
                    )
            except Unavailable:
                found = ()
            for saga in found:
                self._log.info(
                    "saga taken over", saga=saga.id, phase=saga.state.phase.value, step=saga.state.step
                )
                self.carry_out(saga)
            await asyncio.sleep(self._pace.look)

    async def _drive(self, saga: Saga) -> None:
        undecided = self._undecided[saga.id]
        self._in_context_of(saga)
        try:
            while not saga.state.finished:
                if saga.state.phase is Phase.UNDO:
                    undecided.set()
                kept = await self._advance(saga)
                if kept is None:
                    return
                saga = kept
        except Unavailable as error:
            self._log.warning(
                "saga interrupted; it goes on when its lease ends", saga=saga.id, reason=error.message
            )
        finally:
            undecided.set()
            self._undecided.pop(saga.id, None)

    def _in_context_of(self, saga: Saga) -> None:
        """The call's context while it lasts; the saga's own trace for one that was taken over."""
        if CURRENT.get() is None and saga.trace:
            headers = (("traceparent", saga.trace),)
            CURRENT.set(Call(saga.kind, self._step_end(), lambda: headers, self._origin))

    async def _advance(self, saga: Saga) -> Saga | None:
        """Does or undoes one step and keeps the state that follows. None: this process is done with the saga for now."""
        definition = self._definitions[saga.kind]
        step = definition.steps[saga.state.step]
        outcome, failure = await self._attempt(step, saga)
        again = saga.attempts + 1 < step.tries
        state = machine.after(saga.state, outcome, definition.plan, tried=saga.attempts > 0, again=again)
        later = state == saga.state
        due = self._retry_time(saga.attempts) if later else self._lease_end()
        after = replace(saga, state=state, attempts=saga.attempts + 1 if later else 0)
        async with self._database.write() as connection:
            kept = await store.keep(connection, after, "" if later else self._owner, due)
            if kept:
                await definition.changed(connection, kept, step.name, failure)
        return None if later else kept

    async def _attempt(self, step: Step, saga: Saga) -> tuple[Outcome, CallFailed | None]:
        undoing = saga.state.phase is Phase.UNDO
        act = step.undo if undoing else step.do
        if act is None:
            return Outcome.SUCCEEDED, None
        current = CURRENT.get()
        if current and (undoing or current.method == saga.kind):
            CURRENT.set(current.until(self._step_end()))
        failure = await self._failure(act, step, saga)
        if failure is None:
            return Outcome.SUCCEEDED, None
        level = self._log.warning if undoing else self._log.info
        level("saga step failed", saga=saga.id, step=step.name, undoing=undoing, reason=str(failure))
        return Outcome.REFUSED if failure.refused else Outcome.UNKNOWN, failure

    async def _failure(self, act: Act, step: Step, saga: Saga) -> CallFailed | None:
        try:
            async with asyncio.timeout(self._pace.step):
                await act(saga)
        except CallFailed as failure:
            return failure
        except TimeoutError:
            return CallFailed(
                step.name, StatusCode.DEADLINE_EXCEEDED, f"no answer within {self._pace.step:g} s"
            )
        except Exception as error:
            self._log.exception("a mistake in a saga's step", saga=saga.id, step=step.name)
            return CallFailed(step.name, StatusCode.INTERNAL, repr(error))
        return None

    def _lease_end(self) -> datetime:
        return self._now() + timedelta(seconds=self._pace.lease)

    def _step_end(self) -> float:
        return asyncio.get_running_loop().time() + self._pace.step

    def _retry_time(self, attempts: int) -> datetime:
        seconds = min(self._pace.first_retry * 2 ** min(attempts, 20), self._pace.longest_retry)
        return self._now() + timedelta(seconds=seconds)
