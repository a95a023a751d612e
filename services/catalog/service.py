"""The catalog over gRPC: requests in, products out.

Two versions run at once (VERSION). v2 answers with tags and finds by them; v1, as it was written before there were
tags, neither. Both keep what they are given.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from services.catalog import store
from services.catalog.product import Product
from services.gen.shop.catalog.v1 import catalog_pb2 as pb
from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceServicer
from services.gen.shop.money.v1.money_pb2 import Money
from services.kit.app import App, Service
from services.kit.database import Database
from services.kit.errors import AlreadyExists, NotFound

PAGE = 50


class Catalog(CatalogServiceServicer):
    """One method an RPC; the contract says what each does."""

    def __init__(self, database: Database, tagged: bool) -> None:
        self._database = database
        self._tagged = tagged

    async def GetProduct(self, request: pb.GetProductRequest, context: Any) -> pb.GetProductResponse:
        async with self._database.read() as connection:
            found = await store.find(connection, [request.id])
        if request.id not in found:
            raise NotFound(
                "ERROR_REASON_PRODUCT_NOT_FOUND",
                f"no product has the id {request.id!r}",
                product_id=request.id,
            )
        return pb.GetProductResponse(product=self._message(found[request.id]))

    async def BatchGetProducts(
        self, request: pb.BatchGetProductsRequest, context: Any
    ) -> pb.BatchGetProductsResponse:
        ids = list(dict.fromkeys(request.ids))
        async with self._database.read() as connection:
            found = await store.find(connection, ids)
        return pb.BatchGetProductsResponse(
            products=[self._message(found[product]) for product in ids if product in found],
            missing=[product for product in ids if product not in found],
        )

    async def ListProducts(self, request: pb.ListProductsRequest, context: Any) -> pb.ListProductsResponse:
        size = request.page_size or PAGE
        tag = request.tag if self._tagged else ""
        async with self._database.read() as connection:
            found = await store.page(connection, request.page_token, size + 1, tag)
        more = found[size - 1].id if len(found) > size else ""
        return pb.ListProductsResponse(
            products=[self._message(product) for product in found[:size]], next_page_token=more
        )

    async def CreateProduct(self, request: pb.CreateProductRequest, context: Any) -> pb.CreateProductResponse:
        product = _product(request.product, datetime.now(UTC))
        async with self._database.write() as connection:
            added = await store.add(connection, product)
            existing = product if added else (await store.find(connection, [product.id]))[product.id]
        if not existing.same_as(product):
            raise AlreadyExists(
                "ERROR_REASON_PRODUCT_DIFFERS",
                f"the id {product.id!r} belongs to a product with other contents",
                product_id=product.id,
            )
        return pb.CreateProductResponse(product=self._message(existing))

    def _message(self, product: Product) -> pb.Product:
        message = pb.Product(
            id=product.id,
            name=product.name,
            description=product.description,
            price=Money(currency=product.currency, minor=product.price),
            tags=product.tags if self._tagged else (),
        )
        message.create_time.FromDatetime(product.created)
        return message


def _product(message: pb.Product, now: datetime) -> Product:
    price = message.price
    return Product(
        message.id, message.name, message.description, price.currency, price.minor, tuple(message.tags), now
    )


@asynccontextmanager
async def open_catalog(app: App) -> AsyncIterator[Catalog]:
    yield Catalog(app.database, tagged=app.settings.version != "v1")


SERVICE = Service("services.catalog", pb.DESCRIPTOR.services_by_name["CatalogService"], open_catalog)
