"""Events that wait to be published, in the database of the service that tells them.

Input: what a service tells, inside the transaction of the change itself: both are kept or neither. Output: events in
order, to relay, which removes what it has published. Those of one aggregate are numbered without gaps; the row that has
the last number makes transactions about one aggregate wait for each other, so that the numbers are the order of the
changes. An event that cannot be published holds back those of its aggregate that come after it, and no others.

The service's migration creates the tables as `tables` says.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit.call import CURRENT
from services.kit.database import aware
from services.kit.events.envelope import Event, wrapped

POSITION = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that is INTEGER."""


@dataclass(frozen=True)
class Waiting:
    """An event in the outbox. `attempts` counts how often the broker rejected it."""

    id: str
    kind: str
    aggregate: str
    sequence: int
    body: bytes
    attempts: int


@dataclass(frozen=True)
class Lag:
    """How far publishing is behind: events not yet published, the age of the oldest in seconds, and dead letters."""

    waiting: int
    oldest: float
    dead: int


def tables(metadata: MetaData) -> tuple[Table, Table]:
    """The events, and the last number of each aggregate."""
    outbox = Table(
        "outbox",
        metadata,
        Column("position", POSITION, primary_key=True, autoincrement=True),
        Column("event_id", String(64), nullable=False, unique=True),
        Column("kind", String(40), nullable=False),
        Column("aggregate", String(64), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("added", DateTime(timezone=True), nullable=False),
        Column("due", DateTime(timezone=True), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("dead", Boolean, nullable=False),
        Column("error", Text, nullable=False),
        Index("outbox_of_aggregate", "kind", "aggregate", "sequence", unique=True),
    )
    sequences = Table(
        "outbox_sequences",
        metadata,
        Column("kind", String(40), primary_key=True),
        Column("aggregate", String(64), primary_key=True),
        Column("last", BigInteger, nullable=False),
    )
    return outbox, sequences


OUTBOX, _ = tables(MetaData())
_EARLIER = OUTBOX.alias("earlier")
_ADD = insert(OUTBOX)
_NEXT = text(
    "INSERT INTO outbox_sequences (kind, aggregate, last) VALUES (:kind, :aggregate, 1)"
    " ON CONFLICT (kind, aggregate) DO UPDATE SET last = outbox_sequences.last + 1 RETURNING last"
)
"""The number of an aggregate's next event; others who ask for one wait until the transaction ends."""


@dataclass(frozen=True)
class Outbox:
    """Where a service tells its events. `added` is set when something was, for a relay in the same process."""

    now: Callable[[], datetime]
    random: random.Random
    added: asyncio.Event = field(default_factory=asyncio.Event)

    async def add(self, connection: AsyncConnection, event: Event) -> Envelope:
        """Tells an event in the caller's transaction. Returns what will be published."""
        now, call = self.now(), CURRENT.get()
        aggregate = {"kind": event.kind, "aggregate": event.id}
        sequence: int = (await connection.execute(_NEXT, aggregate)).scalar_one()
        event_id = f"{int(now.timestamp() * 1000):012x}{self.random.getrandbits(80):020x}"
        envelope = wrapped(event, event_id, sequence, now, call.span.header if call else "")
        row = {
            **aggregate,
            "event_id": event_id,
            "sequence": sequence,
            "body": envelope.SerializeToString(),
            "added": now,
            "due": now,
            "attempts": 0,
            "dead": False,
            "error": "",
        }
        await connection.execute(_ADD, row)
        self.added.set()
        return envelope


async def due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[Waiting]:
    """Events to publish now, in order, without those that another of their aggregate holds back."""
    held_back = exists().where(
        _EARLIER.c.kind == OUTBOX.c.kind,
        _EARLIER.c.aggregate == OUTBOX.c.aggregate,
        _EARLIER.c.sequence < OUTBOX.c.sequence,
        or_(_EARLIER.c.dead == true(), _EARLIER.c.due > now),
    )
    ready = select(OUTBOX).where(OUTBOX.c.dead == false(), OUTBOX.c.due <= now, ~held_back)
    rows = await connection.execute(ready.order_by(OUTBOX.c.position).limit(limit))
    return [_waiting(row) for row in rows]


async def remove(connection: AsyncConnection, events: Collection[str]) -> None:
    """Those with these ids are published."""
    await connection.execute(delete(OUTBOX).where(OUTBOX.c.event_id.in_(events)))


async def reject(connection: AsyncConnection, event: str, error: str, again: datetime | None) -> None:
    """The broker rejected this one: it is tried `again` then, or, when None, is a dead letter."""
    values = {"attempts": OUTBOX.c.attempts + 1, "error": error, "dead": again is None}
    if again:
        values["due"] = again
    await connection.execute(update(OUTBOX).where(OUTBOX.c.event_id == event).values(values))


async def lag(connection: AsyncConnection, now: datetime) -> Lag:
    waiting = select(func.count(), func.min(OUTBOX.c.added)).where(OUTBOX.c.dead == false())
    count, oldest = (await connection.execute(waiting)).one()
    dead = select(func.count()).where(OUTBOX.c.dead == true())
    age = (now - aware(oldest)).total_seconds() if oldest else 0.0
    return Lag(count, max(age, 0.0), (await connection.execute(dead)).scalar_one())


def _waiting(row: Row[tuple[object, ...]]) -> Waiting:
    return Waiting(row.event_id, row.kind, row.aggregate, row.sequence, row.body, row.attempts)
