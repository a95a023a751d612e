"""Products and their stock, read from catalog and inventory."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.gen.shop.catalog.v1 import catalog_pb2 as catalog
from services.gen.shop.inventory.v1 import inventory_pb2 as inventory
from services.gen.shop.recommendations.v1 import recommendations_pb2 as recommendations
from services.storefront.access.caller import Scope
from services.storefront.parts import Parts
from services.storefront.rest.models import (
    Count,
    MissingPart,
    NewProduct,
    Product,
    ProductPage,
    Products,
    Stock,
    Stocks,
)
from services.storefront.rest.paging import PAGE, Size, Token
from services.storefront.rest.ruled import ruled
from services.storefront.rest.who import Who
from services.storefront.shop import Shop

Id = Annotated[str, Path(**ruled(catalog.GetProductRequest, "id"))]
Tag = Annotated[
    str, Query(description="Only products with this tag", **ruled(catalog.ListProductsRequest, "tag"))
]

FEW = 5


def routes(shop: Shop, who: Who) -> APIRouter:
    made = APIRouter(prefix="/v1")

    @made.get("/products", summary="All products, a page at a time")
    async def list_products(page_size: Size = PAGE, page_token: Token = "", tag: Tag = "") -> Products:
        request = catalog.ListProductsRequest(page_size=page_size, page_token=page_token, tag=tag)
        found = await shop.catalog.ListProducts(request)
        return Products(products=list(map(Product.of, found.products)), next_page_token=found.next_page_token)

    @made.get("/products/{id}", summary="One product with its stock and what goes with it")
    async def get_product(id: Id) -> ProductPage:  # noqa: A002  the name in the path
        parts = Parts()
        async with parts.begun() as begin:
            stock = begin("stock", shop.inventory.GetStock(inventory.GetStockRequest(product_id=id)))
            more = begin("recommendations", _recommended(shop, id))
            found = await shop.catalog.GetProduct(catalog.GetProductRequest(id=id))
            held, goes_with = await stock, await more
        return ProductPage(
            product=Product.of(found.product),
            stock=Stock.of(held.stock) if held else None,
            recommendations=goes_with,
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

    @made.post(
        "/products",
        status_code=201,
        summary="Sell something new",
        dependencies=[who.may(Scope.CATALOG_WRITE)],
    )
    async def create_product(wish: NewProduct) -> Product:
        product = catalog.Product(id=wish.id, name=wish.name, description=wish.description, tags=wish.tags)
        product.price.currency, product.price.minor = wish.price.currency, wish.price.minor
        created = await shop.catalog.CreateProduct(catalog.CreateProductRequest(product=product))
        return Product.of(created.product)

    @made.put(
        "/stock/{product_id}",
        summary="Say how many are on the shelves",
        dependencies=[who.may(Scope.STOCK_WRITE)],
    )
    async def set_stock(product_id: Id, count: Count) -> Stock:
        request = inventory.SetStockRequest(product_id=product_id, on_hand=count.on_hand)
        return Stock.of((await shop.inventory.SetStock(request)).stock)

    return made


async def _recommended(shop: Shop, product: str) -> list[str] | None:
    """None where the shop does without."""
    if shop.recommendations is None:
        return None
    request = recommendations.ListRecommendationsRequest(product_ids=[product], limit=FEW)
    found = await shop.recommendations.ListRecommendations(request)
    return [each.product_id for each in found.recommendations]
