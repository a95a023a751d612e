"""The catalog's tables, as the migrations leave them."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Text

METADATA = MetaData()

PRODUCTS = Table(
    "products",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("tags", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)
