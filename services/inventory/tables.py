"""The tables of inventory, as the migrations leave them."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Integer, MetaData, String, Table

METADATA = MetaData()

STOCK = Table(
    "stock",
    METADATA,
    Column("product_id", String(64), primary_key=True),
    Column("on_hand", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
)

RESERVATIONS = Table(
    "reservations",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("expire_time", DateTime(timezone=True), nullable=False, index=True),
)

LINES = Table(
    "reservation_lines",
    METADATA,
    Column("reservation_id", String(100), ForeignKey("reservations.id"), primary_key=True),
    Column("product_id", String(64), primary_key=True),
    Column("quantity", Integer, nullable=False),
)
