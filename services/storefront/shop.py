"""The services behind, as the storefront calls them.

Input: their addresses, from the environment. Output: `Shop`, whose stubs pass on deadline, trace and correlation id.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio

from services.gen.shop.catalog.v1 import catalog_pb2
from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceStub
from services.gen.shop.inventory.v1 import inventory_pb2
from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from services.gen.shop.orders.v1 import orders_pb2
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub
from services.gen.shop.recommendations.v1 import recommendations_pb2
from services.gen.shop.recommendations.v1.recommendations_pb2_grpc import RecommendationsServiceStub
from services.kit.app import App

if TYPE_CHECKING:  # these names exist in the stubs only
    from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceAsyncStub
    from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceAsyncStub
    from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceAsyncStub
    from services.gen.shop.recommendations.v1.recommendations_pb2_grpc import RecommendationsServiceAsyncStub


@dataclass(frozen=True)
class Shop:
    """One stub a service; None for a leaf that this shop does without."""

    catalog: "CatalogServiceAsyncStub"
    inventory: "InventoryServiceAsyncStub"
    orders: "OrdersServiceAsyncStub"
    recommendations: "RecommendationsServiceAsyncStub | None"


@asynccontextmanager
async def opened(app: App) -> AsyncIterator[Shop]:
    """Raises CannotStart when the address of one that the shop cannot do without is not set."""
    catalog = catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"]
    inventory = inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"]
    orders = orders_pb2.DESCRIPTOR.services_by_name["OrdersService"]
    recommendations = recommendations_pb2.DESCRIPTOR.services_by_name["RecommendationsService"]
    async with (
        app.channel("catalog", catalog) as to_catalog,
        app.channel("inventory", inventory) as to_inventory,
        app.channel("orders", orders) as to_orders,
        _leaf(app, "recommendations", recommendations) as leaf,
    ):
        yield Shop(
            CatalogServiceStub(to_catalog),
            InventoryServiceStub(to_inventory),
            OrdersServiceStub(to_orders),
            RecommendationsServiceStub(leaf) if leaf else None,
        )


@asynccontextmanager
async def _leaf(app: App, name: str, service: ServiceDescriptor) -> AsyncIterator[aio.Channel | None]:
    """None where no address is given."""
    if not app.settings.addresses.get(name):
        yield None
        return
    async with app.channel(name, service) as channel:
        yield channel
