"""Orders and their returns in their database. Input and output: `Order`, with its last return or the one that is asked for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import aware, insert_new
from services.orders.order import Order, Return, State, lines_from_json, to_json
from services.orders.tables import ORDERS, RETURNS


def _orders(which: ColumnElement[bool]) -> Select[Any]:
    """`which` of its returns an order is read with."""
    back = [column.label(f"back_{column.name}") for column in RETURNS.c]
    return select(ORDERS, *back).select_from(ORDERS.outerjoin(RETURNS, which))


_LAST = _orders(RETURNS.c.id == ORDERS.c.return_id)
_EACH = _orders(RETURNS.c.order_id == ORDERS.c.id)


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
    """Only where an order and its return stand ever changes, and why."""
    await connection.execute(update(ORDERS).where(ORDERS.c.id == order.id).values(_changing(order)))
    if back := order.returned:
        await connection.execute(update(RETURNS).where(RETURNS.c.id == back.id).values(_failing(back)))


async def begin_return(connection: AsyncConnection, order: Order, back: Return) -> bool:
    """Keeps an order with its new return. False, and nothing is kept, when the return's key is taken."""
    row = {"id": back.id, "key": back.key, "order_id": order.id, "create_time": back.created}
    if not await insert_new(connection, RETURNS, row | _failing(back)):
        return False
    begun = update(ORDERS).where(ORDERS.c.id == order.id)
    await connection.execute(begun.values(_changing(order) | {"return_id": back.id}))
    return True


async def get(connection: AsyncConnection, order: str) -> Order | None:
    return await _one(connection, _LAST.where(ORDERS.c.id == order))


async def hold(connection: AsyncConnection, order: str) -> Order | None:
    """The same, and it stays as it is until the transaction ends: on PostgreSQL by a lock on the row."""
    return await _one(connection, _LAST.where(ORDERS.c.id == order).with_for_update(of=ORDERS))


async def placed_with(connection: AsyncConnection, key: str) -> Order | None:
    return await _one(connection, _LAST.where(ORDERS.c.key == key))


async def returned_by(connection: AsyncConnection, id: str) -> Order | None:  # noqa: A002
    """The order of a return, with that return."""
    return await _one(connection, _EACH.where(RETURNS.c.id == id))


async def returned_with(connection: AsyncConnection, key: str) -> Order | None:
    """The same by the return's key."""
    return await _one(connection, _EACH.where(RETURNS.c.key == key))


async def orders_of_returns(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, str]:
    """Return -> order, of those ids that are returns."""
    query = select(RETURNS.c.id, RETURNS.c.order_id).where(RETURNS.c.id.in_(ids))
    return {row.id: row.order_id for row in await connection.execute(query)}


async def _one(connection: AsyncConnection, query: Select[Any]) -> Order | None:
    row = (await connection.execute(query)).first()
    return _order(row) if row else None


async def page(connection: AsyncConnection, before: str, size: int, customer: str) -> list[Order]:
    """Up to `size` orders older than the one with the id `before`, newest first; one customer's when given."""
    query = _LAST.order_by(ORDERS.c.id.desc()).limit(size)
    if before:
        query = query.where(ORDERS.c.id < before)
    if customer:
        query = query.where(ORDERS.c.customer_id == customer)
    return [_order(row) for row in await connection.execute(query)]


def _changing(order: Order) -> dict[str, object]:
    return {"state": order.state.value} | _failing(order)


def _failing(of: Order | Return) -> dict[str, object]:
    return {"failure": of.failure, "message": of.message, "failed_step": of.step}


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
        returned=_return(row) if row.back_id else None,
    )


def _return(row: Row[Any]) -> Return:
    return Return(
        id=row.back_id,
        key=row.back_key,
        order_id=row.id,
        created=aware(row.back_create_time),
        failure=row.back_failure,
        message=row.back_message,
        step=row.back_failed_step,
    )
