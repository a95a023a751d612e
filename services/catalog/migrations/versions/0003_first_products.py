"""The first products, so that a fresh shop can take an order. Inventory stocks the same ids."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PRODUCTS = (
    ("mug", "Mug", "Stoneware, 300 ml, glazed blue. Goes into the dishwasher.", 1200, "kitchen ceramic"),
    (
        "tea-green-100g",
        "Green tea, 100 g",
        "Sencha, first harvest. Brew at 70 °C for two minutes.",
        890,
        "tea",
    ),
    (
        "teapot",
        "Teapot",
        "Cast iron, 800 ml, with a sieve. Keeps tea warm for an hour.",
        5400,
        "kitchen tea iron",
    ),
    ("notebook-a5", "Notebook A5", "192 pages, dotted, lies flat.", 1450, "paper"),
    ("pencil-hb", "Pencil HB", "Cedar, sharpened, one of a dozen.", 120, "paper"),
)


def upgrade() -> None:
    now = datetime.now(UTC)
    products = sa.table(
        "products",
        *(sa.column(name) for name in ("id", "name", "description", "currency", "price_minor", "tags")),
        sa.column("create_time", sa.DateTime(timezone=True)),
    )
    op.bulk_insert(
        products,
        [
            {
                "id": product,
                "name": name,
                "description": description,
                "currency": "EUR",
                "price_minor": price,
                "tags": tags,
                "create_time": now,
            }
            for product, name, description, price, tags in PRODUCTS
        ],
    )
