"""Products and their stock, read from catalog and inventory."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.gen.shop.catalog.v1 import catalog_pb2 as catalog
from services.gen.shop.inventory.v1 import inventory_pb2 as inventory
from services.storefront.parts import Parts
from services.storefront.rest.models import MissingPart, Product, ProductPage, Products, Stock, Stocks
from services.storefront.rest.paging import PAGE, Size, Token
from services.storefront.rest.ruled import ruled
from services.storefront.shop import Shop

Id = Annotated[str, Path(**ruled(catalog.GetProductRequest, "id"))]
Tag = Annotated[
    str, Query(description="Only products with this tag", **ruled(catalog.ListProductsRequest, "tag"))
]


def routes(shop: Shop) -> APIRouter:
    made = APIRouter(prefix="/v1")

    @made.get("/products", summary="All products, a page at a time")
    async def list_products(page_size: Size = PAGE, page_token: Token = "", tag: Tag = "") -> Products:
        request = catalog.ListProductsRequest(page_size=page_size, page_token=page_token, tag=tag)
        found = await shop.catalog.ListProducts(request)
        return Products(products=list(map(Product.of, found.products)), next_page_token=found.next_page_token)

    @made.get("/products/{id}", summary="One product with its stock")
    async def get_product(id: Id) -> ProductPage:  # noqa: A002  the name in the path
        parts = Parts()
        stock = shop.inventory.GetStock(inventory.GetStockRequest(product_id=id))
        getting = asyncio.create_task(parts.of("stock", stock))
        try:
            found = await shop.catalog.GetProduct(catalog.GetProductRequest(id=id))
            held = await getting
        finally:
            getting.cancel()
        return ProductPage(
            product=Product.of(found.product),
            stock=Stock.of(held.stock) if held else None,
            missing=list(map(MissingPart.of, parts.missing)),
        )

    @made.get("/stock", summary="The stock of all products, a page at a time")
    async def list_stock(page_size: Size = PAGE, page_token: Token = "") -> Stocks:
        request = inventory.ListStockRequest(page_size=page_size, page_token=page_token)
        found = await shop.inventory.ListStock(request)
        return Stocks(stock=list(map(Stock.of, found.stock)), next_page_token=found.next_page_token)

    @made.get("/stock/{product_id}", summary="The stock of one product")
    async def get_stock(product_id: Id) -> Stock:
        found = await shop.inventory.GetStock(inventory.GetStockRequest(product_id=product_id))
        return Stock.of(found.stock)

    return made
