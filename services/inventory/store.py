"""Reservations in the database of inventory. Input and output: `Reservation`."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.inventory.reservation import Line, Reservation, State
from services.inventory.tables import LINES, RESERVATIONS
from services.kit.database import aware, insert_new


async def add(connection: AsyncConnection, reservation: Reservation) -> bool:
    """False, and nothing is added, when its id is taken."""
    row = {"id": reservation.id, "state": reservation.state.value, "expire_time": reservation.expires}
    if not await insert_new(connection, RESERVATIONS, row):
        return False
    lines = [
        {"reservation_id": reservation.id, "product_id": line.product_id, "quantity": line.quantity}
        for line in reservation.lines
    ]
    if lines:
        await connection.execute(insert(LINES), lines)
    return True


async def hold(connection: AsyncConnection, reservation: str) -> Reservation | None:
    """A reservation that stays as it is until the transaction ends: on PostgreSQL by a lock on the row."""
    query = select(RESERVATIONS).where(RESERVATIONS.c.id == reservation).with_for_update()
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    of_it = select(LINES.c.product_id, LINES.c.quantity).where(LINES.c.reservation_id == reservation)
    lines = tuple(Line(*line) for line in await connection.execute(of_it.order_by(LINES.c.product_id)))
    return Reservation(row.id, State(row.state), lines, aware(row.expire_time))


async def change(connection: AsyncConnection, reservation: Reservation) -> None:
    """Only the state of a reservation ever changes."""
    query = update(RESERVATIONS).where(RESERVATIONS.c.id == reservation.id)
    await connection.execute(query.values(state=reservation.state.value))


async def due(connection: AsyncConnection, now: datetime, limit: int) -> list[str]:
    """Ids of reservations whose time is up, those of longest ago first."""
    overdue = (RESERVATIONS.c.state == State.RESERVED.value, RESERVATIONS.c.expire_time <= now)
    query = select(RESERVATIONS.c.id).where(*overdue).order_by(RESERVATIONS.c.expire_time).limit(limit)
    return list((await connection.execute(query)).scalars())
