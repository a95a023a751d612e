"""How the storefront is put together: its calls to the services behind, and what it answers with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from services.kit.app import App
from services.kit.http.api import api
from services.kit.http.site import Site
from services.storefront import shop
from services.storefront.graphql import route
from services.storefront.page import serving
from services.storefront.rest import orders, products

DOMAIN = "shop.storefront"
ABOUT = "The shop: products, their stock, and orders. Errors are problems (RFC 9457) with the reasons of the shop's contracts."


@asynccontextmanager
async def open_storefront(app: App) -> AsyncIterator[ASGIApp]:
    async with shop.opened(app) as behind:
        rest = api(app, "The shop", DOMAIN, ABOUT)
        rest.include_router(products.routes(behind))
        rest.include_router(orders.routes(behind, app.leaving))
        rest.router.routes += [*route.routes(app, behind, DOMAIN), *serving.routes(serving.read())]
        yield rest


SERVICE = Site("services.storefront", DOMAIN, open_storefront)
