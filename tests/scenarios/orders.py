"""What the scenarios of orders ask the shop: an order's request, its state, the stock and the charge it leaves."""

from __future__ import annotations

import uuid

from tests.scenarios.engine import Answer, Engine, Object

PRODUCT = "mug"


def request(key: str = "", quantity: int = 1, method: str = "tok_visa") -> Object:
    """An order of so many mugs under a key of its own."""
    items = [{"productId": PRODUCT, "quantity": quantity}]
    return {
        "key": key or uuid.uuid4().hex,
        "customerId": "scenario",
        "items": items,
        "paymentMethod": method,
    }


def stock(engine: Engine) -> tuple[int, int]:
    """(on hand, reserved)"""
    found = engine.at("ingress").call("inventory", "GetStock", {"productId": PRODUCT})
    assert found.ok, found
    return int(found.response["stock"].get("onHand", 0)), int(found.response["stock"].get("reserved", 0))


def placed(engine: Engine, key: str) -> Object:
    """The order that was placed under a key."""
    outside = engine.at("ingress")
    listed = outside.call("orders", "ListOrders", {"customerId": "scenario", "pageSize": 100})
    return next(order for order in listed.response["orders"] if order["key"] == key)


def charge(engine: Engine, order: str) -> Answer:
    """What payments knows of the charge of an order, by its id."""
    return engine.at("ingress").call("payments", "GetCharge", {"key": f"{order}:charge"})
