"""Methods that may be repeated are retried by the caller's proxy; the others are tried once, whatever happens."""

from __future__ import annotations

import uuid

import pytest

from tests.scenarios import orders
from tests.scenarios.engine import Engine

CALLS = [
    ("ingress", "catalog", "GetProduct", {"id": "mug"}),
    ("ingress", "orders", "ListOrders", {}),
    ("ingress", "payments", "ListCharges", {}),
    ("orders", "catalog", "GetProduct", {"id": "mug"}),
    ("orders", "inventory", "Release", {"reservationId": "none"}),
]


@pytest.mark.parametrize(("caller", "service", "method", "request_"), CALLS)
def test_a_method_that_may_be_repeated_survives_two_failures(
    engine: Engine, caller: str, service: str, method: str, request_: dict[str, object]
) -> None:
    fault = {f"x-fault-{service}": f"fail=2;method={method}"}
    answer = engine.at(caller).call(service, method, request_, fault)
    assert answer.ok, answer
    assert answer.headers["attempt"] == "3"


def test_three_failures_are_more_than_the_retries(engine: Engine) -> None:
    fault = {"x-fault-catalog": "fail=3;method=GetProduct"}
    answer = engine.at("ingress").call("catalog", "GetProduct", {"id": "mug"}, fault)
    assert (answer.code, answer.headers["attempt"]) == ("UNAVAILABLE", "3")


def test_placing_an_order_is_attempted_once(engine: Engine) -> None:
    fault = {"x-fault-orders": "fail=1;method=PlaceOrder"}
    answer = engine.at("ingress").call("orders", "PlaceOrder", orders.request(), fault)
    assert (answer.code, answer.headers["attempt"]) == ("UNAVAILABLE", "1")


def test_charging_is_attempted_once(engine: Engine) -> None:
    charge = {
        "key": f"{uuid.uuid4().hex}:charge",
        "amount": {"currency": "EUR", "minor": "100"},
        "paymentMethod": "tok_visa",
    }
    fault = {"x-fault-payments": "fail=1;method=Charge"}
    answer = engine.at("orders").call("payments", "Charge", charge, fault)
    assert (answer.code, answer.headers["attempt"]) == ("UNAVAILABLE", "1")
