"""GraphQL, from a query to the services behind and back."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
import structlog
from grpc import StatusCode, aio

from services.gen.shop.recommendations.v1 import recommendations_pb2 as recommendations
from services.gen.shop.recommendations.v1.recommendations_pb2_grpc import (
    RecommendationsServiceServicer,
    add_RecommendationsServiceServicer_to_server,
)
from services.kit.app import App
from services.kit.call import Origin
from services.kit.database import Database
from services.kit.settings import from_environment
from services.kit.telemetry import Silent
from services.kit.trace import Span
from services.storefront import shop as behind
from services.storefront.access.gate import Gate
from services.storefront.graphql.context import Context
from services.storefront.graphql.schema import Schema
from tests.services.conftest import Shop
from tests.services.storefront.conftest import ORIGIN, Storefront
from tests.services.storefront.socket import Refused, connected
from tests.services.storefront.test_rest import SLOW, first_order, key, wish

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]

PLACE = """mutation Place($order: OrderInput!) { placeOrder(order: $order) {
  id state total { currency minor } lines { quantity product { name stock { available } } } } }"""


async def ask(
    web: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None, **variables: Any
) -> dict[str, Any]:
    answer = await web.post("/graphql", json={"query": query, "variables": variables}, headers=headers or {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def order(**changed: Any) -> dict[str, Any]:
    made = wish(**changed)
    return {
        "key": key()["idempotency-key"],
        "customerId": made["customer_id"],
        "items": [{"productId": each["product_id"], "quantity": each["quantity"]} for each in made["items"]],
        "paymentMethod": made["payment_method"],
    }


async def test_products_come_with_their_stock(web: httpx.AsyncClient) -> None:
    found = await ask(
        web, "{ products(pageSize: 100) { products { id price { minor } stock { available } } } }"
    )
    assert "errors" not in found
    listed = {each["id"]: each for each in found["data"]["products"]["products"]}
    assert listed["mug"]["price"]["minor"] == 1200
    assert listed["mug"]["stock"]["available"] > 0


async def test_an_order_is_placed_and_read_with_its_products(web: httpx.AsyncClient) -> None:
    wanted = order(quantity=2)
    placed = (await ask(web, PLACE, order=wanted))["data"]["placeOrder"]
    assert placed["state"] == "CONFIRMED"
    assert placed["lines"][0]["product"]["name"] == "Mug"
    back = 'mutation($id: ID!) { returnOrder(id: $id, key: "back") { state } }'
    assert (await ask(web, back, id=placed["id"]))["data"]["returnOrder"] == {"state": "RETURNED"}
    query = "query($c: String!) { orders(customerId: $c) { orders { id total { minor } createTime } } }"
    listed = (await ask(web, query, c=wanted["customerId"]))["data"]["orders"]["orders"]
    assert [(each["id"], each["total"]["minor"]) for each in listed] == [
        (placed["id"], placed["total"]["minor"])
    ]
    assert (await ask(web, '{ order(id: "none") { id } product(id: "none") { id } }'))["data"] == {
        "order": None,
        "product": None,
    }


async def test_a_part_that_cannot_be_had_is_an_error_and_the_rest_is_there(web: httpx.AsyncClient) -> None:
    query = (
        '{ product(id: "mug") { name stock { available } } recommendations(productIds: ["mug"]) { orders } }'
    )
    found = await ask(web, query, {"x-fault-inventory": "code=UNAVAILABLE"})
    assert found["data"] == {"product": {"name": "Mug", "stock": None}, "recommendations": None}
    by_path = {tuple(each["path"]): each["extensions"] for each in found["errors"]}
    assert by_path["product", "stock"]["status"] == 503
    assert by_path["product", "stock"]["reason"] == "ERROR_REASON_FAULT"
    assert by_path["product", "stock"]["trace_id"]
    assert by_path["recommendations",]["reason"] == "ERROR_REASON_NO_RECOMMENDATIONS"


async def test_an_order_that_is_refused_says_why(web: httpx.AsyncClient) -> None:
    found = await ask(web, PLACE, order=order(method="tok_declined"))
    (error,) = found["errors"]
    assert error["extensions"]["reason"] == "ERROR_REASON_PAYMENT_DECLINED"
    assert error["extensions"]["metadata"]["step"] == "charge"
    found = await ask(web, PLACE, order=order(quantity=0))
    (error,) = found["errors"]
    assert [each["field"] for each in error["extensions"]["errors"]] == ["items[0].quantity"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("{ orders { orders { lines { product { " + "... on Product { " * 9 + "id" + " }" * 14, ""),
        (
            "{ orders { orders { lines { product { stock { a: available } } } } } }",
            "",
        ),
        (
            "query($n: Int) { orders(pageSize: $n) { orders { lines { product { id name stock { onHand available } price { minor } } } } } }",
            "this costs",
        ),
        ("{ " + " ".join(f'p{n}: product(id: "mug") {{ id }}' for n in range(30)) + " }", "aliases"),
        ("{ " + "__typename " * 3000 + " }", "tokens"),
        ("{ nothing }", "Cannot query field"),
        ("{", "Syntax Error"),
    ],
    ids=str,
)
async def test_what_a_query_may_cost_is_limited(web: httpx.AsyncClient, query: str, said: str) -> None:
    found = await ask(web, query)
    errors = " ".join(each["message"] for each in found.get("errors", ()))
    assert said in errors
    assert bool(said) == ("errors" in found)


async def test_an_order_is_followed_over_a_socket(storefront: Storefront, web: httpx.AsyncClient) -> None:
    """Whose operations have deadlines of their own, whatever the proxy in front says of the socket."""
    wanted = wish()
    placing = asyncio.create_task(web.post("/v1/orders", json=wanted, headers=key() | SLOW))
    placed = await first_order(web, wanted["customer_id"])
    async with connected(storefront.address, {"x-envoy-expected-rq-timeout-ms": "1"}) as socket:
        told = await socket.results("subscription($id: ID!) { order(id: $id) { state } }", id=placed)
        assert [each["data"]["order"]["state"] for each in told] == ["PLACING", "CONFIRMED"]
        assert (await placing).status_code == 201
        (found,) = await socket.results('{ product(id: "mug") { name } }')
        assert found == {"data": {"product": {"name": "Mug"}}}
        (found,) = await socket.results('subscription { order(id: "none") { state } }')
        assert found["errors"][0]["extensions"]["reason"] == "ERROR_REASON_ORDER_NOT_FOUND"


async def test_only_pages_of_known_origins_and_its_own_open_a_socket(storefront: Storefront) -> None:
    with pytest.raises(Refused):
        async with connected(storefront.address, {"origin": "https://evil.example"}):
            pass
    for origin in (ORIGIN, f"http://{storefront.address}"):
        async with connected(storefront.address, {"origin": origin}) as socket:
            assert await socket.results("{ __typename }") == [{"data": {"__typename": "Query"}}]


class Counting(Silent):
    """Of calls to services behind."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def called(self, path: str, span: Span, code: Any, started: float, ended: float) -> None:
        self.calls[path.rpartition("/")[2]] += 1


class Recommendations(RecommendationsServiceServicer):
    """The leaf as its contract has it, with what it would have learnt."""

    async def ListRecommendations(
        self, request: recommendations.ListRecommendationsRequest, context: Any
    ) -> recommendations.ListRecommendationsResponse:
        if "down" in request.product_ids:
            await context.abort(StatusCode.UNAVAILABLE, "not now")
        found = [recommendations.Recommendation(product_id=each, orders=3) for each in ("mug", "gone")]
        return recommendations.ListRecommendationsResponse(recommendations=found)


@pytest_asyncio.fixture(loop_scope="session")
async def leaf() -> AsyncIterator[str]:
    server = aio.server()
    add_RecommendationsServiceServicer_to_server(Recommendations(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


@pytest_asyncio.fixture(loop_scope="session")
async def app(shop: Shop, leaf: str) -> AsyncIterator[App]:
    addresses = {f"{each.name.upper()}_ADDRESS": each.address for each in (*shop.behind, shop.orders)}
    settings = from_environment("storefront", {**addresses, "RECOMMENDATIONS_ADDRESS": leaf})
    origin = Origin(0.0, random.Random(1), False)
    async with asyncio.TaskGroup() as tasks:
        no_database = cast(Database, None)
        yield App(settings, no_database, tasks, origin, Counting(), structlog.get_logger(), asyncio.Event())


async def executed(app: App, query: str) -> tuple[dict[str, Any], Counter[str]]:
    """The answer, and how often what was called."""
    async with behind.opened(app) as shop:
        gate = Gate(app.database, lambda: datetime.now(UTC), guests=True)
        context = Context(app, shop, gate, False)
        done = await Schema(app, "shop.storefront").execute(query, context_value=context)
    found = {"data": done.data, "errors": [each.formatted for each in getattr(done, "errors", None) or ()]}
    assert isinstance(app.telemetry, Counting)
    return found, app.telemetry.calls


async def test_each_level_is_one_call(app: App, web: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await web.post("/v1/orders", json=wish(), headers=key())).status_code == 201
    query = "{ orders(pageSize: 10) { orders { lines { product { name stock { available } } } } } }"
    found, calls = await executed(app, query)
    assert found["errors"] == []
    assert len(found["data"]["orders"]["orders"]) >= 3
    assert calls == {"ListOrders": 1, "BatchGetProducts": 1, "BatchGetStock": 1}


async def test_recommendations_come_with_their_products_in_one_call_more(app: App) -> None:
    found, calls = await executed(
        app, '{ recommendations(productIds: ["tea-pot"]) { orders product { name } } }'
    )
    assert found["data"]["recommendations"] == [
        {"orders": 3, "product": {"name": "Mug"}},
        {"orders": 3, "product": None},
    ]
    assert calls == {"ListRecommendations": 1, "BatchGetProducts": 1}


async def test_the_document_says_what_a_client_needs_to_generate_code(web: httpx.AsyncClient) -> None:
    from graphql import build_client_schema, get_introspection_query

    found = await ask(web, get_introspection_query())
    assert "errors" not in found, json.dumps(found)[:500]
    schema = build_client_schema(found["data"])
    assert schema.query_type
    assert {"product", "products", "recommendations", "order", "orders"} == schema.query_type.fields.keys()
