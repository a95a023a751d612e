"""What the leaves make of an order, by events alone: what is bought together, and what its customer is told."""

from __future__ import annotations

import uuid

import pytest

from tests.scenarios import orders
from tests.scenarios.engine import LEAVES, Engine


def placed(engine: Engine, *products: str) -> tuple[str, str]:
    """(order, customer) of a new order, confirmed."""
    request = orders.request() | {
        "customerId": f"c-{uuid.uuid4().hex[:12]}",
        "items": [{"productId": each, "quantity": 1} for each in products],
    }
    order = engine.at("ingress").call("orders", "PlaceOrder", request).response["order"]
    assert order["state"] == "ORDER_STATE_CONFIRMED", order
    return order["id"], order["customerId"]


@pytest.mark.skipif("notifications" not in LEAVES, reason="Node is not installed")
def test_a_customer_is_told_what_becomes_of_an_order(engine: Engine) -> None:
    order, customer = placed(engine, "mug")

    def told() -> list[tuple[str, str]]:
        answer = engine.at("ingress").call("notifications", "ListNotifications", {"customerId": customer})
        found = answer.response.get("notifications", ())
        return [(each["orderId"], each["kind"]) for each in found]

    wanted = [(order, f"NOTIFICATION_KIND_ORDER_{kind}") for kind in ("CONFIRMED", "PLACED")]
    engine.until(lambda: told() == wanted, "both are told, newest first")


@pytest.mark.skipif("recommendations" not in LEAVES, reason="Go is not installed")
def test_what_is_bought_together_is_recommended(engine: Engine) -> None:
    def together() -> int:
        request = {"productIds": ["mug"], "limit": 50}
        answer = engine.at("ingress").call("recommendations", "ListRecommendations", request)
        found = answer.response.get("recommendations", ())
        return next((int(each["orders"]) for each in found if each["productId"] == "teapot"), 0)

    before = together()
    placed(engine, "mug", "teapot")
    engine.until(lambda: together() == before + 1, "they are counted as bought together")
