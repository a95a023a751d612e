"""Products in the catalog's database. Input and output: `Product`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.catalog.product import Product
from services.catalog.tables import PRODUCTS
from services.kit.database import aware, insert_new


async def find(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, Product]:
    """Those of the products that exist, by id."""
    rows = await connection.execute(select(PRODUCTS).where(PRODUCTS.c.id.in_(ids)))
    return {row.id: _product(row) for row in rows}


async def page(connection: AsyncConnection, after: str, size: int, tag: str) -> list[Product]:
    """Up to `size` products with ids greater than `after`, sorted by id; with a tag when one is given."""
    query = select(PRODUCTS).where(PRODUCTS.c.id > after).order_by(PRODUCTS.c.id).limit(size)
    if tag:
        query = query.where((" " + PRODUCTS.c.tags + " ").contains(f" {tag} ", autoescape=True))
    return [_product(row) for row in await connection.execute(query)]


async def add(connection: AsyncConnection, product: Product) -> bool:
    """False, and nothing is added, when its id is taken."""
    row = {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "currency": product.currency,
        "price_minor": product.price,
        "tags": " ".join(product.tags),
        "create_time": product.created,
    }
    return await insert_new(connection, PRODUCTS, row)


def _product(row: Row[Any]) -> Product:
    created = aware(row.create_time)
    return Product(
        row.id, row.name, row.description, row.currency, row.price_minor, tuple(row.tags.split()), created
    )
