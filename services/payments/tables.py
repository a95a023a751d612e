"""The tables of payments, as the migrations leave them."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table

METADATA = MetaData()

CHARGES = Table(
    "charges",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("payment_method", String(100), nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)
