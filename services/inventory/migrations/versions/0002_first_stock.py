"""Stock of the first products, so that a fresh shop can take an order. The catalog names the same ids."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

STOCK = {"mug": 1000, "tea-green-100g": 1000, "teapot": 100, "notebook-a5": 500, "pencil-hb": 5000}


def upgrade() -> None:
    stock = sa.table("stock", sa.column("product_id"), sa.column("on_hand"), sa.column("reserved"))
    op.bulk_insert(
        stock, [{"product_id": product, "on_hand": count, "reserved": 0} for product, count in STOCK.items()]
    )
