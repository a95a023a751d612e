"""An order, from the ingress to the card: what it leaves in each service, also when payments is slow or silent."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.scenarios import orders
from tests.scenarios.engine import SERVICES, Engine

STATES = ("ORDER_STATE_CONFIRMED", "ORDER_STATE_CANCELLED")
UNCHARGED = ("CHARGE_STATE_REFUNDED", "CHARGE_STATE_VOIDED")


@pytest.mark.parametrize("service", SERVICES)
def test_outside_callers_learn_a_services_methods_by_reflection(engine: Engine, service: str) -> None:
    target, authority = engine.outside(service)
    options = [("grpc.default_authority", authority)] if authority else []
    with grpc.insecure_channel(target, options=options) as channel:
        known = ProtoReflectionDescriptorDatabase(channel)
        assert SERVICES[service] in known.get_services()
        assert DescriptorPool(known).FindServiceByName(SERVICES[service]).methods


def test_an_order_is_seen_by_inventory_and_payments(engine: Engine) -> None:
    on_hand, reserved = orders.stock(engine)
    answer = engine.at("ingress").call("orders", "PlaceOrder", orders.request(quantity=2))
    assert answer.response["order"]["state"] == "ORDER_STATE_CONFIRMED", answer
    assert orders.stock(engine) == (on_hand - 2, reserved)
    charged = orders.charge(engine, answer.response["order"]["id"]).response["charge"]
    assert charged["state"] == "CHARGE_STATE_CHARGED"
    assert charged["amount"] == answer.response["order"]["total"]


def test_an_order_is_shipped_to_its_customer(engine: Engine) -> None:
    outside = engine.at("ingress")
    order = outside.call("orders", "PlaceOrder", orders.request(quantity=2)).response["order"]
    sent = outside.call("shipping", "GetShipment", {"key": f"{order['id']}:ship"}).response["shipment"]
    assert sent["state"] == "SHIPMENT_STATE_CREATED"
    assert sent["recipientId"] == order["customerId"]
    assert sent["parcels"] == [{"productId": "mug", "quantity": 2}]


def test_goods_that_cannot_be_brought_are_paid_back(engine: Engine) -> None:
    before, request = orders.stock(engine), orders.request() | {"customerId": "nowhere"}
    outside = engine.at("ingress")
    answer = outside.call("orders", "PlaceOrder", request)
    assert answer.code == "FAILED_PRECONDITION", answer
    assert answer.message.startswith("ship: "), answer
    engine.until(lambda: orders.stock(engine) == before, "the stock is free again")
    listed = outside.call("orders", "ListOrders", {"customerId": "nowhere", "pageSize": 100}).response
    order = next(order for order in listed["orders"] if order["key"] == request["key"])
    assert orders.charge(engine, order["id"]).response["charge"]["state"] == "CHARGE_STATE_REFUNDED"


def test_the_same_key_twice_is_one_order_and_one_charge(engine: Engine) -> None:
    request, outside = orders.request(), engine.at("ingress")
    on_hand, _ = orders.stock(engine)
    answers = [outside.call("orders", "PlaceOrder", request) for _ in range(2)]
    first, second = (a.response["order"]["id"] for a in answers)
    assert first == second
    assert orders.stock(engine)[0] == on_hand - 1
    listed = outside.call("payments", "ListCharges", {"pageToken": first, "pageSize": 100}).response
    assert [c["key"] for c in listed.get("charges", ()) if c["key"].startswith(first)] == [f"{first}:charge"]


def test_a_declined_card_leaves_nothing(engine: Engine) -> None:
    before, request = orders.stock(engine), orders.request(method="tok_declined")
    answer = engine.at("ingress").call("orders", "PlaceOrder", request)
    assert answer.code == "FAILED_PRECONDITION", answer
    engine.until(lambda: orders.stock(engine) == before, "the stock is free again")
    order = orders.placed(engine, str(request["key"]))
    assert orders.charge(engine, order["id"]).response.get("charge", {}).get("state") not in (
        "CHARGE_STATE_CHARGED",
    )


@pytest.mark.parametrize(
    ("fault", "deadline"),
    [
        ("hang;method=Charge", 5.0),  # never charges, never answers
        ("hang;when=after;method=Charge", 5.0),  # charges, and never says so
        ("delay=2s;method=Charge", 1.0),  # charges after the caller has gone
    ],
)
def test_payments_that_does_not_answer_in_time_costs_nobody_anything(
    engine: Engine, fault: str, deadline: float
) -> None:
    before, request = orders.stock(engine), orders.request()
    outside = engine.at("ingress")
    answer = outside.call("orders", "PlaceOrder", request, {"x-fault-payments": fault}, timeout=deadline)
    assert answer.code == "DEADLINE_EXCEEDED", answer
    assert answer.seconds < deadline + 0.1, "answered after its deadline"

    key = str(request["key"])
    engine.until(lambda: orders.placed(engine, key)["state"] in STATES, "the order is decided")
    order = orders.placed(engine, key)
    assert order["state"] == "ORDER_STATE_CANCELLED", order
    engine.until(lambda: orders.stock(engine) == before, "the stock is free again")
    assert orders.charge(engine, order["id"]).response["charge"]["state"] in UNCHARGED


def test_payments_that_cannot_be_reached_is_said_at_once(engine: Engine) -> None:
    before, request = orders.stock(engine), orders.request()
    down = {"x-fault-payments": "code=UNAVAILABLE;method=Charge"}
    answer = engine.at("ingress").call("orders", "PlaceOrder", request, down, timeout=5)
    assert answer.code == "UNAVAILABLE", answer
    assert answer.seconds < 2
    engine.until(lambda: orders.stock(engine) == before, "the stock is free again")


def test_an_order_that_is_returned_is_paid_back_and_in_stock_again(engine: Engine) -> None:
    before, outside = orders.stock(engine), engine.at("ingress")
    order = outside.call("orders", "PlaceOrder", orders.request(quantity=2)).response["order"]["id"]
    request = {"key": order, "orderId": order}
    for _ in range(2):
        answer = outside.call("orders", "ReturnOrder", request)
        assert answer.response["order"]["state"] == "ORDER_STATE_RETURNED", answer
    assert orders.stock(engine) == before
    assert orders.charge(engine, order).response["charge"]["state"] == "CHARGE_STATE_REFUNDED"
    sent = outside.call("shipping", "GetShipment", {"key": f"{order}:ship"}).response["shipment"]
    assert sent["state"] == "SHIPMENT_STATE_RETURNED"


def test_a_return_goes_on_when_the_refund_was_not_answered(engine: Engine) -> None:
    before, outside = orders.stock(engine), engine.at("ingress")
    order = outside.call("orders", "PlaceOrder", orders.request()).response["order"]["id"]
    silent = {"x-fault-payments": "hang;when=after;method=Refund"}
    request = {"key": order, "orderId": order}
    answer = outside.call("orders", "ReturnOrder", request, silent, timeout=1)
    assert answer.code == "DEADLINE_EXCEEDED", answer

    def state() -> str:
        return str(outside.call("orders", "GetOrder", {"id": order}).response["order"]["state"])

    engine.until(lambda: state() == "ORDER_STATE_RETURNED", "the return is finished")
    assert orders.stock(engine) == before
