"""The tables of orders, as the migrations leave them. The table of sagas is the kit's."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Text

METADATA = MetaData()

ORDERS = Table(
    "orders",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("customer_id", String(64), nullable=False),
    Column("lines", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("payment_method", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("failure", String(60), nullable=False),
    Column("message", Text, nullable=False),
    Column("failed_step", String(20), nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("return_id", String(64), nullable=False, server_default=""),
)

RETURNS = Table(
    "returns",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("order_id", String(64), nullable=False),
    Column("failure", String(60), nullable=False),
    Column("message", Text, nullable=False),
    Column("failed_step", String(20), nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)
