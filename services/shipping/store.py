"""Shipments and their returns in the database of shipping. Input and output: `Shipment`, `Return`."""

import json
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import aware, insert_new
from services.shipping.shipment import Return, Shipment, State
from services.shipping.tables import RETURNS, SHIPMENTS


async def get(connection: AsyncConnection, key: str) -> Shipment | None:
    row = (await connection.execute(select(SHIPMENTS).where(SHIPMENTS.c.key == key))).first()
    return _shipment(row) if row else None


async def hold(connection: AsyncConnection, key: str) -> Shipment:
    """One that exists, and stays as it is until the transaction ends: on PostgreSQL by a lock on the row."""
    found = await held(connection, key)
    assert found is not None, "shipments are never deleted"
    return found


async def held(connection: AsyncConnection, key: str) -> Shipment | None:
    """The same of one that may not exist."""
    row = (
        await connection.execute(select(SHIPMENTS).where(SHIPMENTS.c.key == key).with_for_update())
    ).first()
    return _shipment(row) if row else None


async def page(connection: AsyncConnection, after: str, size: int) -> list[Shipment]:
    """Up to `size` shipments with keys greater than `after`, sorted by key."""
    query = select(SHIPMENTS).where(SHIPMENTS.c.key > after).order_by(SHIPMENTS.c.key).limit(size)
    return [_shipment(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, shipment: Shipment) -> bool:
    """False, and nothing is added, when its key is taken."""
    row = {
        "key": shipment.key,
        "state": shipment.state.value,
        "recipient_id": shipment.recipient_id,
        "parcels": json.dumps(shipment.parcels),
        "tracking_code": shipment.tracking_code,
        "create_time": shipment.created,
    }
    return await insert_new(connection, SHIPMENTS, row)


async def change(connection: AsyncConnection, shipment: Shipment) -> None:
    """Only the state of a shipment ever changes."""
    mine = update(SHIPMENTS).where(SHIPMENTS.c.key == shipment.key)
    await connection.execute(mine.values(state=shipment.state.value))


async def return_of(connection: AsyncConnection, shipment: str, key: str) -> Return | None:
    """What is known of a return; its shipment is held."""
    one = select(RETURNS.c.state).where(RETURNS.c.key == key, RETURNS.c.shipment == shipment)
    state = (await connection.execute(one)).scalar()
    return Return(state) if state else None


async def keep_return(connection: AsyncConnection, shipment: str, key: str, state: Return) -> None:
    """Its shipment is held."""
    if not await insert_new(connection, RETURNS, {"key": key, "shipment": shipment, "state": state.value}):
        one = update(RETURNS).where(RETURNS.c.key == key, RETURNS.c.shipment == shipment)
        await connection.execute(one.values(state=state.value))


def _shipment(row: Row[Any]) -> Shipment:
    parcels = tuple((str(product), int(quantity)) for product, quantity in json.loads(row.parcels))
    return Shipment(
        row.key, State(row.state), row.recipient_id, parcels, row.tracking_code, aware(row.create_time)
    )
