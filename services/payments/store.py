"""Charges in the database of payments. Input and output: `Charge`."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import aware, insert_new
from services.payments.charge import Charge, State
from services.payments.tables import CHARGES


async def get(connection: AsyncConnection, key: str) -> Charge | None:
    row = (await connection.execute(select(CHARGES).where(CHARGES.c.key == key))).first()
    return _charge(row) if row else None


async def hold(connection: AsyncConnection, key: str) -> Charge:
    """One that exists, and stays as it is until the transaction ends: on PostgreSQL by a lock on the row."""
    row = (await connection.execute(select(CHARGES).where(CHARGES.c.key == key).with_for_update())).one()
    return _charge(row)


async def page(connection: AsyncConnection, after: str, size: int) -> list[Charge]:
    """Up to `size` charges with keys greater than `after`, sorted by key."""
    query = select(CHARGES).where(CHARGES.c.key > after).order_by(CHARGES.c.key).limit(size)
    return [_charge(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, charge: Charge) -> bool:
    """False, and nothing is added, when its key is taken."""
    row = {
        "key": charge.key,
        "state": charge.state.value,
        "currency": charge.currency,
        "amount_minor": charge.amount,
        "payment_method": charge.payment_method,
        "create_time": charge.created,
    }
    return await insert_new(connection, CHARGES, row)


async def change(connection: AsyncConnection, charge: Charge) -> None:
    """Only the state of a charge ever changes."""
    await connection.execute(
        update(CHARGES).where(CHARGES.c.key == charge.key).values(state=charge.state.value)
    )


def _charge(row: Row[Any]) -> Charge:
    return Charge(
        row.key, State(row.state), row.currency, row.amount_minor, row.payment_method, aware(row.create_time)
    )
