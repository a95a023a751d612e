"""Dead letters, for people: events that could not be published from here, or not be handled here.

    python -m services.kit.events.deadletters list
    python -m services.kit.events.deadletters replay EVENT_ID...     (or: all)
    python -m services.kit.events.deadletters discard EVENT_ID...    (or: all)

Run where the service runs, so that DATABASE_URL is the same. What comes after a dead letter in its aggregate waits for
it, and goes on by itself once that is replayed or discarded.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import DecodeError
from sqlalchemy import ColumnElement, Table, inspect, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.events import outbox
from services.kit.events.inbox import INBOX, State
from services.kit.events.outbox import OUTBOX

ALL = ("all",)
SHOWN = 2000  # characters of an event that `list` prints


@dataclass(frozen=True)
class DeadLetter:
    """`side` is outbox or inbox; `error` the last one."""

    side: str
    id: str
    aggregate: str
    sequence: int
    error: str
    body: bytes


@dataclass(frozen=True)
class Side:
    """One of the two tables: which of its rows are dead letters, and what makes one live again."""

    table: Table
    dead: ColumnElement[bool]
    live: Mapping[str, object]


SIDES = (
    Side(OUTBOX, OUTBOX.c.dead == true(), {"dead": False, "attempts": 0}),
    Side(INBOX, INBOX.c.state == State.HELD, {"state": State.WAITING, "attempts": 0}),
)


async def find(connection: AsyncConnection, events: Sequence[str] = ALL) -> list[DeadLetter]:
    """Those of one aggregate in order."""
    found = []
    for side in await _present(connection):
        columns = side.table.c
        rows = select(side.table).where(_chosen(side, events))
        for row in await connection.execute(rows.order_by(columns.kind, columns.aggregate, columns.sequence)):
            aggregate = f"{row.kind}/{row.aggregate}"
            found.append(
                DeadLetter(side.table.name, row.event_id, aggregate, row.sequence, row.error, row.body)
            )
    return found


async def replay(connection: AsyncConnection, events: Sequence[str] = ALL) -> int:
    """Has them published or handled again. Returns how many there were."""
    again = [
        await connection.execute(update(side.table).where(_chosen(side, events)).values(side.live))
        for side in await _present(connection)
    ]
    return sum(result.rowcount for result in again)


async def discard(connection: AsyncConnection, events: Sequence[str] = ALL) -> int:
    """They never happened, as far as this service is concerned. Returns how many there were."""
    chosen = await find(connection, events)
    if unpublished := [letter.id for letter in chosen if letter.side == OUTBOX.name]:
        await outbox.remove(connection, unpublished)
    if unhandled := [letter.id for letter in chosen if letter.side == INBOX.name]:
        held = update(INBOX).where(INBOX.c.event_id.in_(unhandled))
        await connection.execute(held.values(state=State.DONE, body=b""))  # it may be delivered again
    return len(chosen)


async def _present(connection: AsyncConnection) -> list[Side]:
    names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    return [side for side in SIDES if side.table.name in names]


def _chosen(side: Side, events: Sequence[str]) -> ColumnElement[bool]:
    return side.dead if tuple(events) == ALL else side.dead & side.table.c.event_id.in_(events)


async def _list(connection: AsyncConnection, events: Sequence[str]) -> str:
    return "\n".join(_line(letter) for letter in await find(connection)) or "no dead letters"


async def _replay(connection: AsyncConnection, events: Sequence[str]) -> str:
    return f"{await replay(connection, events)} to be tried again"


async def _discard(connection: AsyncConnection, events: Sequence[str]) -> str:
    return f"{await discard(connection, events)} discarded"


def _line(letter: DeadLetter) -> str:
    try:
        told = MessageToJson(Envelope.FromString(letter.body), indent=None)
    except DecodeError:
        told = letter.body.hex()
    about = f"{letter.side}  {letter.id}  {letter.aggregate} #{letter.sequence}"
    return f"{about}  {letter.error}\n    {told[:SHOWN]}"


COMMANDS: Mapping[str, Callable[[AsyncConnection, Sequence[str]], Awaitable[str]]] = {
    "list": _list,
    "replay": _replay,
    "discard": _discard,
}


async def _run(url: str, command: str, events: Sequence[str]) -> str:
    database = Database(url)
    try:
        async with database.write() as connection:
            return await COMMANDS[command](connection, events)
    finally:
        await database.close()


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Returns the exit code."""
    command, *events = arguments or [""]
    if command not in COMMANDS or (command == "list") == bool(events):
        print(__doc__, file=sys.stderr)
        return 2
    if not (url := environment.get("DATABASE_URL")):
        print("DATABASE_URL is not set: give the one of the service", file=sys.stderr)
        return 2
    try:
        print(asyncio.run(_run(url, command, events)))
    except Unavailable as error:
        print(f"{error}: {url.rpartition('@')[2]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
