"""What a user sees of the shop first: its status, and an order placed by hand."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from tests.local.project import Project
from tests.services.process import image_of

Object = dict[str, Any]
WORKLOADS = {
    "broker",
    "catalog-v1",
    "catalog-v2",
    "inventory",
    "payments",
    "shipping",
    "orders",
    "storefront",
    "ingress",
    *(name for name in ("recommendations", "notifications") if not image_of(name).missing),
}


def test_status_is_for_programs_too(folder: Project) -> None:
    found = folder.status()
    workloads = {w["name"]: w for w in found["workloads"]}
    assert workloads.keys() == WORKLOADS
    for name, each in workloads.items():
        assert each["namespace"] == "shop"
        assert each["ready"] is True
        account = name.partition("-")[0]
        assert each["identity"] == f"spiffe://cluster.local/ns/shop/sa/{account}"
        assert datetime.fromisoformat(each["certificate_expires"]) > datetime.now(UTC)
        assert each["proxy"]["acked"] is True
        assert each["proxy"]["version"]
        assert each["proxy"]["rejected"] is None
        assert all(":" in address for address in each["addresses"].values())
    assert workloads["orders"]["addresses"]
    services = {s["name"]: s for s in found["services"]}
    assert services.keys() == {
        "broker",
        "catalog",
        "inventory",
        "payments",
        "shipping",
        "orders",
        "storefront",
        "ingress",
        "recommendations",
        "notifications",
    }
    assert services["broker"]["addresses"] == {}, "no outside caller gets to it"
    assert found["problems"] == []


def call(folder: Project, service: str, method: str, request: Object) -> Object:
    done = folder.mesh("call", service, method, json.dumps(request))
    assert done.code == 0, done.text
    answer: Object = json.loads(done.text)
    return answer


def stock(folder: Project) -> int:
    found = call(folder, "inventory", "GetStock", {"productId": "mug"})["stock"]
    return int(found.get("onHand", 0)) - int(found.get("reserved", 0))


def test_an_order_placed_by_hand_twice_is_one_order(folder: Project) -> None:
    order = {
        "key": uuid.uuid4().hex,
        "customerId": uuid.uuid4().hex,
        "items": [{"productId": "mug", "quantity": 1}],
        "paymentMethod": "tok_visa",
    }
    before = stock(folder)
    placed = call(folder, "orders", "PlaceOrder", order)["order"]
    assert placed["state"].endswith("CONFIRMED")
    again = call(folder, "orders", "PlaceOrder", order)["order"]
    assert again["id"] == placed["id"]
    assert stock(folder) == before - 1
    assert call(folder, "payments", "GetCharge", {"key": f"{placed['id']}:charge"})["charge"]
    listed = call(folder, "orders", "ListOrders", {"customerId": order["customerId"]})
    assert [each["id"] for each in listed["orders"]] == [placed["id"]]


def test_a_wrong_call_says_what_there_is(folder: Project) -> None:
    done = folder.mesh("call", "catalogue", "ListProducts")
    assert done.code == 1
    assert "there is no service catalogue; there are: broker, catalog" in done.text
