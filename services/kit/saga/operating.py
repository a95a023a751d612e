"""What an operator may do to a saga that does not come to its end by itself.

Input: its id, in a transaction. Output: the saga as it then is; whoever works on it meanwhile has lost it, by its version. The errors'
reasons are to be in the contract of a service that offers this.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from grpc import StatusCode
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.errors import CallFailed, NotFound, Refused
from services.kit.saga import store
from services.kit.saga.definition import Definition
from services.kit.saga.machine import Phase, State
from services.kit.saga.store import Saga


async def retry(connection: AsyncConnection, id: str, now: datetime) -> Saga:  # noqa: A002
    """Its step is tried again at once, and as patiently as at first. Raises NotFound, Refused."""
    saga = await _unfinished(connection, id)
    if saga.owner and saga.due and saga.due > now:
        return saga  # somebody is at it
    again = replace(saga, attempts=min(saga.attempts, 1), stuck=False)
    return await _kept(connection, again, now)


async def compensate(
    connection: AsyncConnection,
    definitions: Mapping[str, Definition],
    id: str,  # noqa: A002
    now: datetime,
) -> Saga:
    """What it has done, and may have, is undone; for one that is being undone, tries that again. Raises NotFound, Refused."""
    saga = await _unfinished(connection, id)
    if saga.state.phase is Phase.UNDO:
        return await retry(connection, id, now)
    definition = definitions[saga.kind]
    step = definition.steps[saga.state.step]
    if saga.state.step >= definition.plan.final:
        text = f"no way leads back from {step.name!r}: have it tried again"
        raise Refused("ERROR_REASON_SAGA_PAST_RETURN", text, saga_id=id, step=step.name)
    back = replace(saga, state=State(Phase.UNDO, saga.state.step), attempts=0, stuck=False)
    kept = await _kept(connection, back, now)
    why = CallFailed(step.name, StatusCode.FAILED_PRECONDITION, "an operator had it undone")
    await definition.changed(connection, kept, step.name, why)
    return kept


async def _unfinished(connection: AsyncConnection, id: str) -> Saga:  # noqa: A002
    saga = await store.get(connection, id)
    if saga is None:
        raise NotFound("ERROR_REASON_SAGA_NOT_FOUND", f"no saga has the id {id!r}", saga_id=id)
    if saga.state.finished:
        raise Refused("ERROR_REASON_SAGA_ENDED", f"saga {id} has come to its end", saga_id=id)
    return saga


async def _kept(connection: AsyncConnection, saga: Saga, now: datetime) -> Saga:
    kept = await store.keep(connection, saga, "", now)
    assert kept is not None, "its row is held"
    return replace(kept, owner="", due=now)
