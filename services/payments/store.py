"""Charges in the database of payments. Input and output: `Charge`."""

from datetime import UTC
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.charge import Charge, State
from services.payments.tables import CHARGES


async def get(connection: AsyncConnection, key: str) -> Charge | None:
    """Within a write transaction nobody else changes what it found: on PostgreSQL by a lock on the row."""
    row = (await connection.execute(select(CHARGES).where(CHARGES.c.key == key).with_for_update())).first()
    return _charge(row) if row else None


async def page(connection: AsyncConnection, after: str, size: int) -> list[Charge]:
    """Up to `size` charges with keys greater than `after`, sorted by key."""
    query = select(CHARGES).where(CHARGES.c.key > after).order_by(CHARGES.c.key).limit(size)
    return [_charge(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, charge: Charge) -> None:
    await connection.execute(
        insert(CHARGES).values(
            key=charge.key,
            state=charge.state.value,
            currency=charge.currency,
            amount_minor=charge.amount,
            payment_method=charge.payment_method,
            create_time=charge.created,
        )
    )


async def change(connection: AsyncConnection, charge: Charge) -> None:
    """Only the state of a charge ever changes."""
    await connection.execute(
        update(CHARGES).where(CHARGES.c.key == charge.key).values(state=charge.state.value)
    )


def _charge(row: Row[Any]) -> Charge:
    created = row.create_time if row.create_time.tzinfo else row.create_time.replace(tzinfo=UTC)
    return Charge(row.key, State(row.state), row.currency, row.amount_minor, row.payment_method, created)
