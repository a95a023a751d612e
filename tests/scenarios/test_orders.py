"""An order, from the ingress to the card: what it leaves in each service."""

from __future__ import annotations

import uuid

from tests.scenarios.engine import Engine


def order(key: str, quantity: int = 2) -> dict[str, object]:
    items = [{"productId": "mug", "quantity": quantity}]
    return {"key": key, "customerId": "c1", "items": items, "paymentMethod": "tok_visa"}


def test_an_order_is_seen_by_inventory_and_payments(engine: Engine) -> None:
    outside = engine.at("ingress")
    before = outside.call("inventory", "GetStock", {"productId": "mug"}).response["stock"]
    key = uuid.uuid4().hex
    placed = outside.call("orders", "PlaceOrder", order(key))
    assert placed.response["order"]["state"] == "ORDER_STATE_CONFIRMED", placed
    after = outside.call("inventory", "GetStock", {"productId": "mug"}).response["stock"]
    assert int(before["onHand"]) - int(after["onHand"]) == 2
