"""Products without tags, over gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Text, select

from services.gen.shop.catalog.v1 import catalog_pb2 as pb
from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceServicer
from services.gen.shop.money.v1.money_pb2 import Money
from services.kit.app import App, Service
from services.kit.database import Database, insert_new

PRODUCTS = Table(
    "products",
    MetaData(),
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
)


class Catalog(CatalogServiceServicer):
    """What the test calls of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetProduct(self, request: pb.GetProductRequest, context: Any) -> pb.GetProductResponse:
        async with self._database.read() as connection:
            found = await connection.execute(select(PRODUCTS).where(PRODUCTS.c.id == request.id))
            row = found.one()
        price = Money(currency=row.currency, minor=row.price_minor)
        return pb.GetProductResponse(product=pb.Product(id=row.id, name=row.name, price=price))

    async def CreateProduct(self, request: pb.CreateProductRequest, context: Any) -> pb.CreateProductResponse:
        product = request.product
        row = {
            "id": product.id,
            "name": product.name,
            "description": product.description,
            "currency": product.price.currency,
            "price_minor": product.price.minor,
            "create_time": datetime.now(UTC),
        }
        async with self._database.write() as connection:
            await insert_new(connection, PRODUCTS, row)
        return pb.CreateProductResponse(product=product)


@asynccontextmanager
async def open_catalog(app: App) -> AsyncIterator[Catalog]:
    yield Catalog(app.database)


SERVICE = Service(
    "tests.services.data.before", pb.DESCRIPTOR.services_by_name["CatalogService"], open_catalog
)
