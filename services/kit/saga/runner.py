"""Carries sagas out, and takes over those whose process died.

Input: sagas that a service has added in a transaction of its own, and those in the database that nobody works on.
Output: the steps' effects, and after each the service's own `changed` in the same transaction as the saga's new state.

A step that takes long keeps its lease by renewing it; a process that has lost one gives the step up. A step that fails again and again is
stuck: that is logged and kept (watch counts such), and it is tried now and then all the same, since what is gone may be back.

A saga that begins in a call runs in that call's context: its steps have the call's deadline and trace. Undoing has time
of its own, since the call's may be over. What cannot be undone now is left to be tried again later, by anybody.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.typing import FilteringBoundLogger

from services.kit.call import CURRENT, Call, Origin
from services.kit.database import Database
from services.kit.errors import CallFailed, Unavailable
from services.kit.saga import machine, store
from services.kit.saga.attempt import Attempts, LeaseLost
from services.kit.saga.definition import USUAL, Definition, Pace, Step
from services.kit.saga.machine import Outcome, Phase
from services.kit.saga.store import Saga


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
        pace: Pace = USUAL,
    ) -> None:
        self._database = database
        self._definitions = definitions
        self._owner = owner
        self._tasks = tasks
        self._now = now
        self._log = log
        self._origin = origin
        self._pace = pace
        self._attempts = Attempts(database, owner, pace.lease, now, log)
        self._undecided: dict[str, asyncio.Event] = {}

    async def begin(self, connection: AsyncConnection, saga: Saga) -> None:
        """Adds a saga in the service's transaction; `carry_out` follows once that is committed."""
        await store.add(connection, saga, self._owner, self._now(), timedelta(seconds=self._pace.lease))

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
                    kinds = tuple(self._definitions)
                    found = await store.take_due(
                        connection, kinds, self._owner, self._now(), lease, self._pace.batch
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
            now = asyncio.get_running_loop().time()  # each step has time of its own
            CURRENT.set(Call(saga.kind, now, lambda: headers, self._origin))

    async def _advance(self, saga: Saga) -> Saga | None:
        """Does or undoes one step and keeps the state that follows. None: this process is done with the saga for now."""
        definition = self._definitions[saga.kind]
        step = definition.steps[saga.state.step]
        try:
            outcome, failure = await self._attempts.attempt(step, saga)
        except LeaseLost:
            self._log.warning("saga left to another, who has taken it", saga=saga.id, step=step.name)
            return None
        after = self._after(saga, definition, outcome, failure)
        later = after.state == saga.state
        due = self._retry_time(after) if later else self._lease_end()
        async with self._database.write() as connection:
            kept = await store.keep(connection, after, "" if later else self._owner, due)
            if kept:
                await definition.changed(connection, kept, step.name, failure)
        self._tell(saga, after, step)
        return None if later else kept

    def _after(
        self, saga: Saga, definition: Definition, outcome: Outcome, failure: CallFailed | None
    ) -> Saga:
        step, failures = definition.steps[saga.state.step], saga.attempts + 1
        again = failures < step.tries
        state = machine.after(saga.state, outcome, definition.plan, tried=saga.attempts > 0, again=again)
        if state != saga.state:
            return replace(saga, state=state, attempts=0, error="", stuck=False)
        return replace(saga, attempts=failures, error=str(failure), stuck=failures >= step.patience)

    def _tell(self, before: Saga, after: Saga, step: Step) -> None:
        about = {"saga": after.id, "kind": after.kind, "step": step.name, "phase": before.state.phase.value}
        if after.stuck and not before.stuck:
            self._log.error("a saga is stuck", **about, attempts=after.attempts, reason=after.error)
        if before.stuck and not after.stuck:
            self._log.info("a saga is no longer stuck", **about)

    def _lease_end(self) -> datetime:
        return self._now() + timedelta(seconds=self._pace.lease)

    def _retry_time(self, saga: Saga) -> datetime:
        doubled = self._pace.first_retry * 2 ** min(saga.attempts - 1, 20)
        seconds = self._pace.stuck if saga.stuck else min(doubled, self._pace.longest_retry)
        return self._now() + timedelta(seconds=seconds)
