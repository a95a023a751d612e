"""The storefront's tables, as the migrations leave them."""

from sqlalchemy import Column, DateTime, MetaData, String, Table, Text

METADATA = MetaData()

KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(12), primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("customer", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("expire_time", DateTime(timezone=True)),
    Column("revoke_time", DateTime(timezone=True)),
)
