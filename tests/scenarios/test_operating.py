"""What only operators may call, and what it does to an order that is under way."""

from __future__ import annotations

import threading

from tests.scenarios import orders
from tests.scenarios.engine import Engine, Object


def saga_of(engine: Engine, order: str) -> Object | None:
    """As the operator sees it; None once it has come to its end."""
    listed = engine.at("operator").call("orders", "ListSagas", {"pageSize": 100})
    assert listed.ok, listed
    return next((saga for saga in listed.response.get("sagas", ()) if saga["orderId"] == order), None)


def test_an_operator_has_an_order_undone_that_hangs(engine: Engine) -> None:
    before, request = orders.stock(engine), orders.request() | {"customerId": "waiting"}
    hangs = {"x-fault-payments": "hang;method=Charge"}
    outside, operator = engine.at("ingress"), engine.at("operator")
    placing = threading.Thread(target=outside.call, args=("orders", "PlaceOrder", request, hangs))
    placing.start()

    def order() -> Object | None:
        listed = operator.call("orders", "ListSagas", {"pageSize": 100}).response.get("sagas", ())
        return next((saga for saga in listed if saga["step"] == "charge"), None)

    engine.until(lambda: order() is not None, "the saga is listed")
    saga = order()
    assert saga
    assert (saga["kind"], saga["direction"]) == ("place order", "SAGA_DIRECTION_FORWARD")
    assert operator.call("orders", "CompensateSaga", {"id": saga["id"]}).ok
    placing.join()
    engine.until(lambda: saga_of(engine, saga["orderId"]) is None, "the saga has come to its end")
    found = outside.call("orders", "GetOrder", {"id": saga["orderId"]}).response["order"]
    assert found["state"] == "ORDER_STATE_CANCELLED"
    assert found["failure"]["message"] == "charge: an operator had it undone"
    assert orders.stock(engine) == before
    ended = operator.call("orders", "CompensateSaga", {"id": saga["id"]})
    assert (ended.code, ended.message) == (
        "FAILED_PRECONDITION",
        f"saga {saga['id']} has come to its end",
    )


def test_nobody_outside_operates_the_shop(engine: Engine) -> None:
    for method in ("ListSagas", "RetrySaga", "CompensateSaga"):
        answer = engine.at("ingress").call("orders", method, {})
        assert (answer.code, answer.message) == ("PERMISSION_DENIED", "RBAC: access denied"), method
