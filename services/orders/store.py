"""Orders in their database. Input and output: `Order`."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import aware, insert_new
from services.orders.order import Order, State, lines_from_json, to_json
from services.orders.tables import ORDERS


async def add(connection: AsyncConnection, order: Order) -> bool:
    """False, and nothing is added, when its key is taken."""
    row = {
        "id": order.id,
        "key": order.key,
        "customer_id": order.customer_id,
        "lines": to_json(order.lines),
        "currency": order.currency,
        "total_minor": order.total,
        "payment_method": order.payment_method,
        "create_time": order.created,
    }
    return await insert_new(connection, ORDERS, row | _changing(order))


async def change(connection: AsyncConnection, order: Order) -> None:
    """Only where an order stands ever changes, and why."""
    await connection.execute(update(ORDERS).where(ORDERS.c.id == order.id).values(_changing(order)))


async def get(connection: AsyncConnection, order: str) -> Order | None:
    row = (await connection.execute(select(ORDERS).where(ORDERS.c.id == order))).first()
    return _order(row) if row else None


async def placed_with(connection: AsyncConnection, key: str) -> Order | None:
    row = (await connection.execute(select(ORDERS).where(ORDERS.c.key == key))).first()
    return _order(row) if row else None


async def page(connection: AsyncConnection, before: str, size: int, customer: str) -> list[Order]:
    """Up to `size` orders older than the one with the id `before`, newest first; one customer's when given."""
    query = select(ORDERS).order_by(ORDERS.c.id.desc()).limit(size)
    if before:
        query = query.where(ORDERS.c.id < before)
    if customer:
        query = query.where(ORDERS.c.customer_id == customer)
    return [_order(row) for row in await connection.execute(query)]


def _changing(order: Order) -> dict[str, object]:
    return {
        "state": order.state.value,
        "failure": order.failure,
        "message": order.message,
        "failed_step": order.step,
    }


def _order(row: Row[Any]) -> Order:
    return Order(
        id=row.id,
        key=row.key,
        customer_id=row.customer_id,
        lines=lines_from_json(row.lines),
        currency=row.currency,
        payment_method=row.payment_method,
        created=aware(row.create_time),
        state=State(row.state),
        failure=row.failure,
        message=row.message,
        step=row.failed_step,
    )
