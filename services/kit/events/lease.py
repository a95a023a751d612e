"""Who relays: one process at a time, and another soon after it died.

A row by name says who, and until when. Used by relay; a lease that ran out while its owner was busy does no harm there,
since what is published twice has one effect. The service's migration creates the table as `table` says.
"""

from datetime import datetime

from sqlalchemy import Column, DateTime, MetaData, String, Table, or_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import insert_new


def table(metadata: MetaData) -> Table:
    return Table(
        "leases",
        metadata,
        Column("name", String(40), primary_key=True),
        Column("owner", String(100), nullable=False),
        Column("until", DateTime(timezone=True), nullable=False),
    )


_LEASES = table(MetaData())


async def take(connection: AsyncConnection, name: str, owner: str, now: datetime, until: datetime) -> bool:
    """Takes the lease, or renews it. False when another holds it."""
    if await insert_new(connection, _LEASES, {"name": name, "owner": owner, "until": until}):
        return True
    free = or_(_LEASES.c.owner == owner, _LEASES.c.until <= now)
    taken = update(_LEASES).where(_LEASES.c.name == name, free).values(owner=owner, until=until)
    return (await connection.execute(taken)).rowcount == 1


async def give_up(connection: AsyncConnection, name: str, owner: str, now: datetime) -> None:
    """Leaves the lease, if it is ours, to whoever asks next."""
    mine = update(_LEASES).where(_LEASES.c.name == name, _LEASES.c.owner == owner)
    await connection.execute(mine.values(until=now))
