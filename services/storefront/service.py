"""How the storefront is put together: its calls to the services behind, and what it answers with."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.types import ASGIApp

from services.kit.app import App
from services.kit.http.api import api
from services.kit.http.site import Site
from services.storefront import shop
from services.storefront.access.gate import Gate
from services.storefront.graphql import route
from services.storefront.page import serving
from services.storefront.rest import keys, orders, products
from services.storefront.rest.who import Who

DOMAIN = "shop.storefront"
ABOUT = "The shop: products, their stock, and orders. Errors are problems (RFC 9457) with the reasons of the shop's contracts."


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _guests(env: Mapping[str, str] = os.environ) -> bool:
    """GUESTS: true lets whoever has neither token nor key order under any name: for development."""
    return env.get("GUESTS", "").lower() == "true"


@asynccontextmanager
async def open_storefront(app: App) -> AsyncIterator[ASGIApp]:
    async with shop.opened(app) as behind:
        rest = api(app, "The shop", DOMAIN, ABOUT)
        gate = Gate(app.database, _utc_now, guests=_guests())
        who = Who(gate)
        rest.include_router(products.routes(behind, who))
        rest.include_router(orders.routes(behind, app.leaving, who))
        rest.include_router(keys.routes(app.database, _utc_now, who))
        rest.router.routes += [*route.routes(app, behind, gate, DOMAIN), *serving.routes(serving.read())]
        yield rest


SERVICE = Site("services.storefront", DOMAIN, open_storefront)
