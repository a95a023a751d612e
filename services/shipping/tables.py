"""The tables of shipping, as the migrations leave them."""

from sqlalchemy import Column, DateTime, MetaData, String, Table, Text

METADATA = MetaData()

SHIPMENTS = Table(
    "shipments",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("state", String(20), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    Column("parcels", Text, nullable=False),
    Column("tracking_code", String(40), nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)

RETURNS = Table(
    "returns",
    METADATA,
    Column("key", String(100), primary_key=True),
    Column("shipment", String(100), primary_key=True),
    Column("state", String(20), nullable=False),
)
