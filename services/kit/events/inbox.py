"""What a consumer has done with the events it got, in its own database.

Input: events as they arrive, each perhaps several times. Output: which of them are new. The row of an event is written
in the transaction of the handler's own changes, so that both are there or neither, and a duplicate changes nothing.

    (no row)   not handled, or never arrived
    FAILING    the handler failed; the broker delivers it again
    DONE       handled; kept for `forget`, as long as a duplicate may come
    HELD       failed too often: a dead letter, for people to replay or discard (deadletters)
    WAITING    to be handled from here: replayed, or comes after one of its aggregate that is HELD or WAITING

The service's migration creates the table as `table` says. A service consumes a topic once with a database.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    exists,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit.database import insert_new


class State(StrEnum):
    """What became of an event."""

    FAILING = "failing"
    DONE = "done"
    HELD = "held"
    WAITING = "waiting"


@dataclass(frozen=True)
class Arrived:
    """An event as it came. `kind` is the topic; of what is no envelope only that and a made-up id are known."""

    id: str
    kind: str
    aggregate: str
    sequence: int
    body: bytes


def table(metadata: MetaData) -> Table:
    return Table(
        "inbox",
        metadata,
        Column("event_id", String(64), primary_key=True),
        Column("kind", String(40), nullable=False),
        Column("aggregate", String(64), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("state", String(10), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("error", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("changed", DateTime(timezone=True), nullable=False),
        Index("inbox_of_aggregate", "kind", "aggregate", "state", "sequence"),
        Index("inbox_state", "state", "changed"),
    )


INBOX = table(MetaData())
_EARLIER = INBOX.alias("earlier")


def arrived(envelope: Envelope, body: bytes) -> Arrived:
    return Arrived(envelope.event_id, envelope.aggregate_kind, envelope.aggregate_id, envelope.sequence, body)


async def claim(connection: AsyncConnection, event: Arrived, now: datetime) -> bool:
    """Makes it DONE, before its handler runs in the same transaction. False for one that was here before."""
    row = _row(event, now) | {"state": State.DONE, "body": b""}
    if await insert_new(connection, INBOX, row):
        return True
    failing = update(INBOX).where(INBOX.c.event_id == event.id, INBOX.c.state == State.FAILING)
    done = await connection.execute(failing.values(state=State.DONE, body=b"", error="", changed=now))
    return done.rowcount == 1


async def queued(connection: AsyncConnection, event: Arrived, now: datetime) -> bool:
    """Whether earlier events of its aggregate are still to be handled from here; then it is WAITING, too."""
    earlier = select(INBOX.c.event_id).where(
        INBOX.c.kind == event.kind,
        INBOX.c.aggregate == event.aggregate,
        INBOX.c.state.in_((State.HELD, State.WAITING)),
        INBOX.c.sequence < event.sequence,
    )
    if (await connection.execute(earlier.limit(1))).first() is None:
        return False
    if not await insert_new(connection, INBOX, _row(event, now) | {"state": State.WAITING}):
        failing = update(INBOX).where(INBOX.c.event_id == event.id, INBOX.c.state == State.FAILING)
        await connection.execute(failing.values(state=State.WAITING, changed=now))
    return True


async def failed(connection: AsyncConnection, event: Arrived, error: str, now: datetime) -> int:
    """Counts a failure of the handler. Returns how many there were."""
    if await insert_new(connection, INBOX, _row(event, now) | {"attempts": 1, "error": error}):
        return 1
    counted = (
        update(INBOX)
        .where(INBOX.c.event_id == event.id)
        .values(attempts=INBOX.c.attempts + 1, error=error, changed=now)
    )
    attempts: int = (await connection.execute(counted.returning(INBOX.c.attempts))).scalar_one()
    return attempts


async def hold(connection: AsyncConnection, event: Arrived, error: str, now: datetime) -> None:
    """Makes it a dead letter."""
    if not await insert_new(connection, INBOX, _row(event, now) | {"state": State.HELD, "error": error}):
        held = update(INBOX).where(INBOX.c.event_id == event.id, INBOX.c.state != State.DONE)
        await connection.execute(held.values(state=State.HELD, error=error, changed=now))


async def next_waiting(connection: AsyncConnection, kind: str) -> Arrived | None:
    """The next event to be handled from here, locked until this transaction ends; none that comes after a HELD one."""
    held = exists().where(
        _EARLIER.c.kind == INBOX.c.kind,
        _EARLIER.c.aggregate == INBOX.c.aggregate,
        _EARLIER.c.sequence < INBOX.c.sequence,
        _EARLIER.c.state == State.HELD,
    )
    waiting = select(INBOX).where(INBOX.c.kind == kind, INBOX.c.state == State.WAITING, ~held)
    first = waiting.order_by(INBOX.c.aggregate, INBOX.c.sequence).limit(1).with_for_update()
    row = (await connection.execute(first)).first()
    return Arrived(row.event_id, row.kind, row.aggregate, row.sequence, row.body) if row else None


async def done(connection: AsyncConnection, event: Arrived, now: datetime) -> None:
    """A WAITING one is handled, in this transaction."""
    one = update(INBOX).where(INBOX.c.event_id == event.id)
    await connection.execute(one.values(state=State.DONE, body=b"", error="", changed=now))


async def forget(connection: AsyncConnection, before: datetime) -> int:
    """Removes what was done before then. Returns how many."""
    old = delete(INBOX).where(INBOX.c.state == State.DONE, INBOX.c.changed < before)
    return (await connection.execute(old)).rowcount


def _row(event: Arrived, now: datetime) -> dict[str, object]:
    return {
        "event_id": event.id,
        "kind": event.kind,
        "aggregate": event.aggregate,
        "sequence": event.sequence,
        "state": State.FAILING,
        "attempts": 0,
        "error": "",
        "body": event.body,
        "changed": now,
    }
