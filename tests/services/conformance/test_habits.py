"""The habits, on each service of the shop that is written in Python."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.services.conformance.habits import ALL, Target, an_error_says_why, draining_loses_no_call
from tests.services.conftest import Shop
from tests.services.process import Process

READS = {
    "catalog": ("shop.catalog.v1.CatalogService", "GetProduct", '{"id": "mug"}'),
    "inventory": ("shop.inventory.v1.InventoryService", "GetStock", '{"product_id": "mug"}'),
    "payments": ("shop.payments.v1.PaymentsService", "ListCharges", "{}"),
    "shipping": ("shop.shipping.v1.ShippingService", "ListShipments", "{}"),
    "orders": ("shop.orders.v1.OrdersService", "ListOrders", "{}"),
}
BROKEN = {
    "catalog": "{}",
    "inventory": "{}",
    "payments": '{"page_size": 1000}',
    "shipping": '{"page_size": 1000}',
    "orders": '{"page_size": 1000}',
}
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("habit", ALL, ids=lambda habit: habit.__name__)
async def test_habit(habit: Callable[[Target], Awaitable[None]], name: str, shop: Shop) -> None:
    await habit(Target(getattr(shop, name).address, *READS[name]))


@pytest.mark.parametrize("name", READS)
async def test_an_error_says_why(name: str, shop: Shop) -> None:
    await an_error_says_why(Target(getattr(shop, name).address, *READS[name]), BROKEN[name])


async def test_draining_loses_no_call(tmp_path: Path) -> None:
    catalog = Process("catalog", tmp_path, {"DRAIN_SECONDS": "1.5"})
    await catalog.start()
    await catalog.ready()
    await draining_loses_no_call(Target(catalog.address, *READS["catalog"]), catalog.stop())
    assert catalog.process is not None
    assert catalog.process.returncode == 0
