"""A row a saga, in the database of the service that runs it.

Input and output: `Saga`. Whoever works on one holds its lease; `version` fences: a process that lost its lease, because
it was too slow or was thought dead, cannot write any more. The service's migration creates the table as `table` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import insert_new
from services.kit.saga.machine import Phase, State

UNFINISHED = (Phase.FORWARD.value, Phase.UNDO.value)


@dataclass(frozen=True)
class Saga:
    """`id` is also that of what the saga is about, in the service's own tables. `attempts` counts tries of the present
    state that failed, or whose process died; `trace` is the traceparent of the call that began it."""

    id: str
    kind: str
    trace: str
    state: State = field(default_factory=State)
    version: int = 0
    attempts: int = 0


def table(metadata: MetaData) -> Table:
    return Table(
        "sagas",
        metadata,
        Column("id", String(64), primary_key=True),
        Column("kind", String(40), nullable=False),
        Column("trace", String(64), nullable=False),
        Column("phase", String(10), nullable=False),
        Column("step", Integer, nullable=False),
        Column("version", Integer, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("owner", String(100), nullable=False),
        Column("due", DateTime(timezone=True), nullable=False),
    )


_SAGAS = table(MetaData())


async def add(connection: AsyncConnection, saga: Saga, owner: str, until: datetime) -> None:
    """A new saga, leased to `owner` until then."""
    row = {"id": saga.id, "kind": saga.kind, "trace": saga.trace}
    await insert_new(connection, _SAGAS, row | _changing(saga) | {"owner": owner, "due": until})


async def keep(connection: AsyncConnection, saga: Saga, owner: str, due: datetime) -> Saga | None:
    """Writes a state, and leases it to `owner` until `due`; or, without an owner, leaves it to anybody from then on.
    Returns it with its new version, None when another has taken it."""
    kept = replace(saga, version=saga.version + 1)
    mine = update(_SAGAS).where(_SAGAS.c.id == saga.id, _SAGAS.c.version == saga.version)
    done = await connection.execute(mine.values(_changing(kept) | {"owner": owner, "due": due}))
    return kept if done.rowcount else None


async def take_due(
    connection: AsyncConnection, owner: str, now: datetime, lease: timedelta, limit: int
) -> Sequence[Saga]:
    """Sagas that nobody works on, now leased to `owner`. Another process that asks at the same time gets others."""
    due = select(_SAGAS).where(_SAGAS.c.phase.in_(UNFINISHED), _SAGAS.c.due <= now)
    rows = await connection.execute(due.order_by(_SAGAS.c.due).limit(limit).with_for_update(skip_locked=True))
    taken = []
    for row in rows.all():
        state = State(Phase(row.phase), row.step)
        interrupted = bool(row.owner)
        saga = Saga(row.id, row.kind, row.trace, state, row.version, row.attempts + interrupted)
        if kept := await keep(connection, saga, owner, now + lease):
            taken.append(kept)
    return taken


def _changing(saga: Saga) -> dict[str, object]:
    return {
        "phase": saga.state.phase.value,
        "step": saga.state.step,
        "version": saga.version,
        "attempts": saga.attempts,
    }
