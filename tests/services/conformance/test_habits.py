"""The habits, on each service of the shop, in whatever language it is written."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.services.conformance.habits import (
    ALL,
    Target,
    a_fault_is_carried_out,
    an_error_says_why,
    call,
    draining_loses_no_call,
    failure,
)
from tests.services.conftest import Shop, built
from tests.services.process import Process

READS = {
    "catalog": ("shop.catalog.v1.CatalogService", "GetProduct", '{"id": "mug"}'),
    "inventory": ("shop.inventory.v1.InventoryService", "GetStock", '{"product_id": "mug"}'),
    "payments": ("shop.payments.v1.PaymentsService", "ListCharges", "{}"),
    "shipping": ("shop.shipping.v1.ShippingService", "ListShipments", "{}"),
    "orders": ("shop.orders.v1.OrdersService", "ListOrders", "{}"),
}
LEAVES = {
    "recommendations": (
        "shop.recommendations.v1.RecommendationsService",
        "ListRecommendations",
        '{"product_ids": ["mug"]}',
    ),
    "notifications": ("shop.notifications.v1.NotificationsService", "ListNotifications", "{}"),
}
BROKEN = {
    "catalog": "{}",
    "inventory": "{}",
    "payments": '{"page_size": 1000}',
    "shipping": '{"page_size": 1000}',
    "orders": '{"page_size": 1000}',
    "recommendations": '{"product_ids": ["mug", "No Such"]}',
    "notifications": '{"page_size": 1000}',
}
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("habit", ALL, ids=lambda habit: habit.__name__)
async def test_habit(habit: Callable[[Target], Awaitable[None]], name: str, shop: Shop) -> None:
    await habit(Target(getattr(shop, name).address, *READS[name]))


@pytest.mark.parametrize("name", READS)
async def test_an_error_says_why(name: str, shop: Shop) -> None:
    await an_error_says_why(Target(getattr(shop, name).address, *READS[name]), BROKEN[name])


async def test_a_fault_is_carried_out(shop: Shop) -> None:
    await a_fault_is_carried_out(Target(shop.catalog.address, *READS["catalog"]))


@pytest.mark.parametrize("habit", [*ALL, a_fault_is_carried_out], ids=lambda habit: habit.__name__)
async def test_habit_of_a_leaf(habit: Callable[[Target], Awaitable[None]], leaf: Process) -> None:
    await habit(Target(leaf.address, *LEAVES[leaf.name]))


async def test_an_error_of_a_leaf_says_why(leaf: Process) -> None:
    await an_error_says_why(Target(leaf.address, *LEAVES[leaf.name]), BROKEN[leaf.name])


async def test_a_log_of_a_leaf_has_the_shape_of_all_logs(leaf: Process) -> None:
    target, trace = Target(leaf.address, *LEAVES[leaf.name]), "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = (("traceparent", f"00-{trace}-00f067aa0ba902b7-01"), ("x-request-id", "mine"))
    await failure(call(target, BROKEN[leaf.name], headers=headers))
    (line,) = (event for event in leaf.events() if event.get("trace_id") == trace)
    assert line.pop("time").endswith("Z")
    assert len(line.pop("span_id")) == 16
    assert line.pop("message")
    assert line == {
        "event": "call refused",
        "level": "info",
        "service": leaf.name,
        "pod": f"{leaf.name}-0",
        "version": "v1",
        "method": target.path,
        "code": "INVALID_ARGUMENT",
        "trace_id": trace,
        "correlation_id": "mine",
    }


@pytest.mark.parametrize("name", ["catalog", *LEAVES])
async def test_draining_loses_no_call(name: str, tmp_path: Path) -> None:
    await built(name, tmp_path / "build.log")
    service = Process(name, tmp_path, {"DRAIN_SECONDS": "1.5"})
    await service.start()
    await service.ready()
    await draining_loses_no_call(Target(service.address, *(READS | LEAVES)[name]), service.stop())
    assert service.process is not None
    assert service.process.returncode == 0
