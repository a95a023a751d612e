"""A row a saga, in the database of the service that runs it.

Input and output: `Saga`. Whoever works on one holds its lease, and renews it; `version` fences: a process that lost its lease, because
it was too slow or was thought dead, cannot write any more. The service's migration creates the table as `table` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    case,
    false,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import aware, insert_new
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
    error: str = ""
    stuck: bool = False
    owner: str = ""
    due: datetime | None = None


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
        Column("error", Text, nullable=False, server_default=""),
        Column("stuck", Boolean, nullable=False, server_default=false()),
        Column("started", DateTime(timezone=True)),
        Index("sagas_due", "phase", "due"),
    )


_SAGAS = table(MetaData())


async def add(connection: AsyncConnection, saga: Saga, owner: str, now: datetime, lease: timedelta) -> None:
    """A new saga, leased to `owner`."""
    row = {"id": saga.id, "kind": saga.kind, "trace": saga.trace, "started": now}
    await insert_new(connection, _SAGAS, row | _changing(saga) | {"owner": owner, "due": now + lease})


async def keep(connection: AsyncConnection, saga: Saga, owner: str, due: datetime) -> Saga | None:
    """Writes a state, and leases it to `owner` until `due`; or, without an owner, leaves it to anybody from then on.
    Returns it with its new version, None when another has taken it."""
    kept = replace(saga, version=saga.version + 1)
    mine = update(_SAGAS).where(_SAGAS.c.id == saga.id, _SAGAS.c.version == saga.version)
    done = await connection.execute(mine.values(_changing(kept) | {"owner": owner, "due": due}))
    return kept if done.rowcount else None


async def renew(connection: AsyncConnection, saga: Saga, owner: str, until: datetime) -> bool:
    """Holds the lease until then. False when another has taken it."""
    mine = update(_SAGAS).where(
        _SAGAS.c.id == saga.id, _SAGAS.c.version == saga.version, _SAGAS.c.owner == owner
    )
    return (await connection.execute(mine.values(due=until))).rowcount == 1


async def take_due(
    connection: AsyncConnection,
    kinds: Sequence[str],
    owner: str,
    now: datetime,
    lease: timedelta,
    limit: int,
) -> Sequence[Saga]:
    """Sagas that nobody works on, now leased to `owner`; of these kinds only, since while a new version comes and the old one goes there
    may be others. Another process that asks at the same time gets others."""
    due = select(_SAGAS).where(_SAGAS.c.phase.in_(UNFINISHED), _SAGAS.c.due <= now, _SAGAS.c.kind.in_(kinds))
    rows = await connection.execute(due.order_by(_SAGAS.c.due).limit(limit).with_for_update(skip_locked=True))
    taken = []
    for row in rows.all():
        saga = _saga(row)
        saga = replace(
            saga, attempts=saga.attempts + bool(saga.owner)
        )  # one whose owner died was interrupted
        if kept := await keep(connection, saga, owner, now + lease):
            taken.append(kept)
    return taken


async def get(connection: AsyncConnection, saga: str) -> Saga | None:
    """One, which stays as it is until the transaction ends: on PostgreSQL by a lock on the row."""
    one = select(_SAGAS).where(_SAGAS.c.id == saga).with_for_update()
    row = (await connection.execute(one)).first()
    return _saga(row) if row else None


async def page(connection: AsyncConnection, after: str, size: int, stuck: bool) -> list[Saga]:
    """Up to `size` sagas that have not ended, with ids greater than `after`, sorted by id; only those that are stuck, or all."""
    query = select(_SAGAS).where(_SAGAS.c.phase.in_(UNFINISHED), _SAGAS.c.id > after)
    if stuck:
        query = query.where(_SAGAS.c.stuck)
    return [_saga(row) for row in await connection.execute(query.order_by(_SAGAS.c.id).limit(size))]


@dataclass(frozen=True)
class Count:
    """Of the sagas that have not ended. `oldest` in seconds."""

    unfinished: int
    stuck: int
    oldest: float


async def count(connection: AsyncConnection, now: datetime) -> Count:
    stuck = func.sum(case((_SAGAS.c.stuck, 1), else_=0))
    query = select(func.count(), stuck, func.min(_SAGAS.c.started)).where(_SAGAS.c.phase.in_(UNFINISHED))
    found, are_stuck, started = (await connection.execute(query)).one()
    return Count(found, are_stuck or 0, (now - aware(started)).total_seconds() if started else 0.0)


def _saga(row: Row[Any]) -> Saga:
    return Saga(
        id=row.id,
        kind=row.kind,
        trace=row.trace,
        state=State(Phase(row.phase), row.step),
        version=row.version,
        attempts=row.attempts,
        error=row.error,
        stuck=row.stuck,
        owner=row.owner,
        due=aware(row.due),
    )


def _changing(saga: Saga) -> dict[str, object]:
    return {
        "phase": saga.state.phase.value,
        "step": saga.state.step,
        "version": saga.version,
        "attempts": saga.attempts,
        "error": saga.error,
        "stuck": saga.stuck,
    }
