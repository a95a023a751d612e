"""How many of each product there are, in the database of inventory."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.inventory.reservation import Effect, Line
from services.inventory.tables import STOCK
from services.kit.database import insert_new
from services.kit.errors import Refused


@dataclass(frozen=True)
class Stock:
    """`reserved` of the `on_hand` are promised."""

    product_id: str
    on_hand: int
    reserved: int


async def get(connection: AsyncConnection, product: str) -> Stock | None:
    row = (await connection.execute(select(STOCK).where(STOCK.c.product_id == product))).first()
    return Stock(*row) if row else None


async def find(connection: AsyncConnection, products: Sequence[str]) -> dict[str, Stock]:
    """By product; those whose stock was never set are left out."""
    rows = await connection.execute(select(STOCK).where(STOCK.c.product_id.in_(products)))
    return {row.product_id: Stock(*row) for row in rows}


async def page(connection: AsyncConnection, after: str, size: int) -> list[Stock]:
    """Up to `size`, with product ids greater than `after`, sorted by them."""
    query = select(STOCK).where(STOCK.c.product_id > after).order_by(STOCK.c.product_id).limit(size)
    return [Stock(*row) for row in await connection.execute(query)]


async def count(connection: AsyncConnection, product: str, on_hand: int) -> Stock:
    """Says how many there are. Raises Refused when more are promised."""
    row = {"product_id": product, "on_hand": on_hand, "reserved": 0}
    if await insert_new(connection, STOCK, row):
        return Stock(product, on_hand, 0)
    change = update(STOCK).where(STOCK.c.product_id == product, STOCK.c.reserved <= on_hand)
    done = await connection.execute(change.values(on_hand=on_hand))
    stock = await get(connection, product)
    assert stock is not None, "rows of stock are never deleted"
    if not done.rowcount:
        raise Refused(
            "ERROR_REASON_STOCK_RESERVED",
            f"{stock.reserved} of {product} are promised to orders: {on_hand} are too few",
            product_id=product,
            reserved=str(stock.reserved),
        )
    return stock


async def hold(connection: AsyncConnection, lines: tuple[Line, ...]) -> None:
    """Promises all lines. Raises Refused at the first that cannot be, with what was promised before it still held: the
    transaction is to be rolled back. Lines are sorted, so that two reservations never wait for one another."""
    for line in lines:
        free = STOCK.c.on_hand - STOCK.c.reserved >= line.quantity
        change = update(STOCK).where(STOCK.c.product_id == line.product_id, free)
        done = await connection.execute(change.values(reserved=STOCK.c.reserved + line.quantity))
        if not done.rowcount:
            raise _out_of_stock(line, await get(connection, line.product_id))


async def apply(connection: AsyncConnection, lines: tuple[Line, ...], effect: Effect) -> None:
    """Changes the stock as an action on a reservation does."""
    if not (effect.on_hand or effect.reserved):
        return
    for line in lines:
        change = update(STOCK).where(STOCK.c.product_id == line.product_id)
        await connection.execute(
            change.values(
                on_hand=STOCK.c.on_hand + effect.on_hand * line.quantity,
                reserved=STOCK.c.reserved + effect.reserved * line.quantity,
            )
        )


def _out_of_stock(line: Line, stock: Stock | None) -> Refused:
    available = stock.on_hand - stock.reserved if stock else 0
    return Refused(
        "ERROR_REASON_OUT_OF_STOCK",
        f"{line.quantity} of {line.product_id} were asked for, {available} are free",
        product_id=line.product_id,
        available=str(available),
        wanted=str(line.quantity),
    )
