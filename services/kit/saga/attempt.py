"""Does or undoes one step of a saga whose lease is held, and holds it meanwhile.

Used by runner, which says which step and keeps what becomes of it. A step's failures are CallFailed; anything else it raises is a mistake,
logged, and counts as an outcome that nobody knows.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from grpc import StatusCode
from structlog.typing import FilteringBoundLogger

from services.kit.call import CURRENT
from services.kit.database import Database
from services.kit.errors import CallFailed, Unavailable
from services.kit.saga import store
from services.kit.saga.definition import Act, Step
from services.kit.saga.machine import Outcome, Phase
from services.kit.saga.store import Saga


class LeaseLost(Exception):
    """Another process has taken the saga over."""


@dataclass(frozen=True)
class Attempts:
    """Those of one process, `owner`. `lease` in seconds."""

    database: Database
    owner: str
    lease: float
    now: Callable[[], datetime]
    log: FilteringBoundLogger

    async def attempt(self, step: Step, saga: Saga) -> tuple[Outcome, CallFailed | None]:
        """What became of it, and why it failed, if it did. Raises LeaseLost."""
        undoing = saga.state.phase is Phase.UNDO
        act = step.undo if undoing else step.do
        if act is None:
            return Outcome.SUCCEEDED, None
        current = CURRENT.get()
        if current and (undoing or current.method == saga.kind):
            CURRENT.set(current.until(asyncio.get_running_loop().time() + step.limit))
        failure = await self._failure(act, step, saga)
        if failure is None:
            return Outcome.SUCCEEDED, None
        level = self.log.warning if undoing else self.log.info
        level("saga step failed", saga=saga.id, step=step.name, undoing=undoing, reason=str(failure))
        return Outcome.REFUSED if failure.refused else Outcome.UNKNOWN, failure

    async def _failure(self, act: Act, step: Step, saga: Saga) -> CallFailed | None:
        try:
            async with asyncio.timeout(step.limit):
                await self._leased(act, saga)
        except LeaseLost:
            raise
        except CallFailed as failure:
            return failure
        except TimeoutError:
            return CallFailed(step.name, StatusCode.DEADLINE_EXCEEDED, f"no answer within {step.limit:g} s")
        except Exception as error:
            self.log.exception("a mistake in a saga's step", saga=saga.id, step=step.name)
            return CallFailed(step.name, StatusCode.INTERNAL, repr(error))
        return None

    async def _leased(self, act: Act, saga: Saga) -> None:
        """Does it while the lease is ours. Raises LeaseLost."""
        doing = asyncio.ensure_future(act(saga))
        try:
            while not (await asyncio.wait((doing,), timeout=self.lease / 3))[0]:
                await self._renew(saga)
            doing.result()
        finally:
            if doing.cancel():
                await asyncio.wait((doing,))

    async def _renew(self, saga: Saga) -> None:
        """Raises LeaseLost. While the database does not answer nobody else can take it either."""
        with contextlib.suppress(Unavailable):
            async with self.database.write() as connection:
                if not await store.renew(
                    connection, saga, self.owner, self.now() + timedelta(seconds=self.lease)
                ):
                    raise LeaseLost
