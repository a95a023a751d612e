"""The REST API, from a request to the services behind and back."""

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest

from tests.services.storefront.conftest import ORIGIN

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
SLOW = {"x-fault-payments": "delay=0.5s;method=Charge"}


def wish(quantity: int = 1, method: str = "tok_visa", customer: str = "") -> dict[str, Any]:
    return {
        "customer_id": customer or uuid.uuid4().hex,
        "items": [{"product_id": "mug", "quantity": quantity}],
        "payment_method": method,
    }


def key(text: str = "") -> dict[str, str]:
    return {"idempotency-key": text or uuid.uuid4().hex}


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["trace_id"]
    return found


async def test_products_come_in_pages(web: httpx.AsyncClient) -> None:
    first = (await web.get("/v1/products", params={"page_size": 1})).json()
    second = (
        await web.get("/v1/products", params={"page_size": 1, "page_token": first["next_page_token"]})
    ).json()
    (one,), (other,) = first["products"], second["products"]
    assert one["id"] < other["id"]
    assert one["price"]["currency"]
    assert one["price"]["minor"] >= 0


async def test_a_product_comes_with_its_stock(web: httpx.AsyncClient) -> None:
    found = (await web.get("/v1/products/mug")).json()
    assert found["product"]["name"] == "Mug"
    assert found["stock"]["available"] == found["stock"]["on_hand"] - found["stock"]["reserved"]
    assert found["missing"] == []
    assert (await web.get("/v1/stock/mug")).json()["product_id"] == "mug"
    assert "mug" in [each["product_id"] for each in (await web.get("/v1/stock")).json()["stock"]]


@pytest.mark.parametrize(
    ("fault", "code"), [("code=UNAVAILABLE", "UNAVAILABLE"), ("hang", "DEADLINE_EXCEEDED")]
)
async def test_a_part_that_cannot_be_had_is_missing_and_the_rest_is_there(
    web: httpx.AsyncClient, fault: str, code: str
) -> None:
    answer = await web.get("/v1/products/mug", headers={"x-fault-inventory": fault})
    assert answer.status_code == 200
    found = answer.json()
    assert found["product"]["id"] == "mug"
    assert found["stock"] is None
    assert [(each["part"], each["code"]) for each in found["missing"]] == [("stock", code)]


async def test_an_order_is_placed_once_by_its_key(web: httpx.AsyncClient) -> None:
    order, again = wish(quantity=2), key()
    placed = await web.post("/v1/orders", json=order, headers=again)
    assert placed.status_code == 201, placed.text
    found = placed.json()
    assert found["state"] == "CONFIRMED"
    assert found["lines"][0]["quantity"] == 2
    assert found["total"]["minor"] == 2 * found["lines"][0]["unit_price"]["minor"]
    assert (await web.post("/v1/orders", json=order, headers=again)).json() == found
    assert (await web.get(placed.headers["location"])).json() == found
    listed = (await web.get("/v1/orders", params={"customer_id": order["customer_id"]})).json()
    assert listed["orders"] == [found]


async def test_an_order_that_is_refused_says_why(web: httpx.AsyncClient) -> None:
    answer = await web.post("/v1/orders", json=wish(method="tok_declined"), headers=key())
    assert answer.status_code == 409
    found = problem(answer)
    assert found["type"] == "urn:problem:shop.orders.v1:ERROR_REASON_PAYMENT_DECLINED"
    assert found["title"] == "Payment declined"
    assert found["metadata"]["step"] == "charge"
    order = (await web.get(f"/v1/orders/{found['metadata']['order_id']}")).json()
    assert order["failure"]["reason"] == "ERROR_REASON_PAYMENT_DECLINED"


async def test_a_key_of_another_order_is_a_conflict(web: httpx.AsyncClient) -> None:
    same = key()
    assert (await web.post("/v1/orders", json=wish(), headers=same)).status_code == 201
    answer = await web.post("/v1/orders", json=wish(), headers=same)
    assert answer.status_code == 409
    assert problem(answer)["reason"] == "ERROR_REASON_ORDER_DIFFERS"


async def first_order(web: httpx.AsyncClient, customer: str) -> str:
    """The id of a customer's order, once there is one."""
    while True:
        listed = (await web.get("/v1/orders", params={"customer_id": customer})).json()["orders"]
        if listed:
            return str(listed[0]["id"])
        await asyncio.sleep(0.02)


async def events(web: httpx.AsyncClient, order: str, **headers: str) -> list[dict[str, Any]]:
    async with web.stream("GET", f"/v1/orders/{order}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in answer.aiter_lines()]
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def test_an_order_is_followed_until_it_is_decided(web: httpx.AsyncClient) -> None:
    order = wish()
    placing = asyncio.create_task(web.post("/v1/orders", json=order, headers=key() | SLOW))
    placed = await first_order(web, order["customer_id"])
    told = await events(web, placed)
    assert [each["state"] for each in told] == ["PLACING", "CONFIRMED"]
    assert (await placing).json() == told[-1]


async def test_an_order_that_is_not_decided_in_time_is_accepted(web: httpx.AsyncClient) -> None:
    """Asked again under the same key by callers with less patience than its card needs."""
    order, same = wish(), key()
    placing = asyncio.create_task(
        web.post("/v1/orders", json=order, headers=same | {"x-fault-payments": "delay=2.5s;method=Charge"})
    )
    placed = await first_order(web, order["customer_id"])
    hasty = same | {"x-envoy-expected-rq-timeout-ms": "500"}
    answer = await web.post("/v1/orders", json=order, headers=hasty)
    assert answer.status_code == 202, answer.text
    assert answer.json() == {"id": placed, "state": "PLACING"}
    assert answer.headers["location"] == f"/v1/orders/{placed}"
    assert (await placing).status_code == 201


async def test_an_order_is_given_back_once_by_its_key(web: httpx.AsyncClient) -> None:
    placed = (await web.post("/v1/orders", json=wish(), headers=key())).json()
    where, same = f"/v1/orders/{placed['id']}/return", key()
    first, again = [await web.post(where, headers=same) for _ in range(2)]
    assert (first.status_code, first.json()["state"]) == (200, "RETURNED")
    assert again.json() == first.json()
    assert [each["state"] for each in await events(web, placed["id"])] == ["RETURNED"]
    answer = await web.post(where, headers=key())
    assert answer.status_code == 409
    assert problem(answer)["reason"] == "ERROR_REASON_ORDER_NOT_RETURNABLE"
    assert (await web.post("/v1/orders/none/return", headers=key())).status_code == 404


async def test_a_browser_that_knows_the_end_is_told_not_to_ask_again(web: httpx.AsyncClient) -> None:
    placed = (await web.post("/v1/orders", json=wish(), headers=key())).json()
    again = await web.get(f"/v1/orders/{placed['id']}/events", headers={"last-event-id": "CONFIRMED"})
    assert again.status_code == 204


async def test_what_is_not_there_is_not_found(web: httpx.AsyncClient) -> None:
    for path in (
        "/v1/products/no-such",
        "/v1/orders/none",
        "/v1/orders/none/events",
        "/v1/stock/no-such",
        "/v2",
    ):
        answer = await web.get(path)
        assert answer.status_code == 404, path
        problem(answer)
    assert (await web.delete("/v1/products")).status_code == 405


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"items": []}, "items"),
        ({"items": [{"product_id": "mug", "quantity": 0}]}, "items[0].quantity"),
        ({"items": [{"product_id": "mug", "quantity": "1"}]}, "items[0].quantity"),
        ({"payment_method": "4111111111111111"}, "payment_method"),
        ({"customer_id": "x" * 65}, "customer_id"),
        ({"extra": 1}, "extra"),
    ],
)
async def test_a_request_that_breaks_a_rule_is_told_which_field(
    web: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await web.post("/v1/orders", json=wish() | change, headers=key())
    assert answer.status_code == 400
    assert [each["field"] for each in problem(answer)["errors"]] == [field]


async def test_an_order_needs_a_key(web: httpx.AsyncClient) -> None:
    answer = await web.post("/v1/orders", json=wish())
    assert answer.status_code == 400
    assert [each["field"] for each in problem(answer)["errors"]] == ["Idempotency-Key"]


async def test_a_page_has_its_limits(web: httpx.AsyncClient) -> None:
    answer = await web.get("/v1/products", params={"page_token": "\x00" * 64})
    assert answer.status_code in (200, 400)
    answer = await web.get("/v1/products", params={"page_size": 101})
    assert [each["field"] for each in problem(answer)["errors"]] == ["page_size"]


async def test_a_service_that_is_away_is_said_with_when_to_try_again(web: httpx.AsyncClient) -> None:
    answer = await web.get("/v1/products", headers={"x-fault-catalog": "code=UNAVAILABLE"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert problem(answer)["retry_after"] == 1
    answer = await web.get("/v1/products", headers={"x-fault-catalog": "code=INTERNAL"})
    assert answer.status_code == 502


async def test_the_document_describes_the_api(web: httpx.AsyncClient) -> None:
    document = (await web.get("/openapi.json")).json()
    assert document["paths"].keys() == {
        "/v1/products",
        "/v1/products/{id}",
        "/v1/stock",
        "/v1/stock/{product_id}",
        "/v1/orders",
        "/v1/orders/{id}",
        "/v1/orders/{id}/events",
        "/v1/orders/{id}/return",
        "/v1/keys",
        "/v1/keys/{id}",
    }
    item = document["components"]["schemas"]["Item"]["properties"]
    assert (item["quantity"]["minimum"], item["quantity"]["maximum"]) == (1, 1000)
    default = document["paths"]["/v1/orders"]["post"]["responses"]["default"]["content"]
    schema = default["application/problem+json"]["schema"]["$ref"].rpartition("/")[2]
    assert "reason" in document["components"]["schemas"][schema]["properties"]


async def test_only_pages_of_known_origins_may_call(web: httpx.AsyncClient) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "idempotency-key"}
    allowed = await web.options("/v1/orders", headers={"origin": ORIGIN, **asked})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    refused = await web.options("/v1/orders", headers={"origin": "https://evil.example", **asked})
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
