"""Who is let in to what. The mesh reads tokens, and says whose they are in headers, which stand here for it."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.services.conftest import Shop
from tests.services.process import PATIENCE, ROOT
from tests.services.storefront.conftest import Storefront, beside
from tests.services.storefront.test_graphql import PLACE, ask, order
from tests.services.storefront.test_rest import key, problem, wish

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
STAFF = {"x-token-subject": "boss", "x-token-role": "staff"}


def customer() -> dict[str, str]:
    return {"x-token-subject": uuid.uuid4().hex, "x-token-role": "customer"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closed(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storefront]:
    """One that lets no guests order, and at whose leaf's address nobody listens."""
    env = {"GUESTS": "", "RECOMMENDATIONS_ADDRESS": "127.0.0.1:1"}
    process = beside(shop, tmp_path_factory.mktemp("closed"), env)
    await process.start()
    await process.ready()
    yield process
    assert await process.stop() == 0, process.log.read_text()


@pytest_asyncio.fixture(loop_scope="session")
async def web(closed: Storefront) -> AsyncIterator[httpx.AsyncClient]:
    async with closed.client() as client:
        yield client


async def test_a_leaf_that_does_not_answer_is_missing(web: httpx.AsyncClient) -> None:
    found = (await web.get("/v1/products/mug")).json()
    assert found["stock"]["product_id"] == "mug"
    assert found["recommendations"] is None
    assert [each["part"] for each in found["missing"]] == ["recommendations"]


async def placed(web: httpx.AsyncClient, who: dict[str, str]) -> dict[str, Any]:
    mine = {name: value for name, value in wish().items() if name != "customer_id"}
    answer = await web.post("/v1/orders", json=mine, headers=key() | who)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_everybody_reads_what_is_sold_and_nobody_orders_without_saying_who(
    web: httpx.AsyncClient,
) -> None:
    assert (await web.get("/v1/products/mug")).status_code == 200
    for answer in (
        await web.post("/v1/orders", json=wish(), headers=key()),
        await web.get("/v1/orders"),
        await web.get("/v1/orders/none"),
        await web.get("/v1/orders/none/events"),
        await web.put("/v1/stock/mug", json={"on_hand": 1}),
        await web.get("/v1/keys"),
    ):
        assert answer.status_code == 401, answer.request.url
        assert answer.headers["www-authenticate"] == "Bearer"
        assert problem(answer)["reason"] == "ERROR_REASON_UNAUTHENTICATED"


async def test_a_customer_sees_its_own_orders_only(web: httpx.AsyncClient) -> None:
    ada, bob = customer(), customer()
    mine, other = await placed(web, ada), await placed(web, bob)
    assert mine["customer_id"] == ada["x-token-subject"]
    listed = (await web.get("/v1/orders", headers=ada)).json()["orders"]
    assert [each["id"] for each in listed] == [mine["id"]]
    for path in (f"/v1/orders/{other['id']}", f"/v1/orders/{other['id']}/events"):
        assert (await web.get(path, headers=ada)).status_code == 404
        assert (await web.get(path, headers=bob)).status_code == 200
    where = f"/v1/orders/{other['id']}/return"
    assert (await web.post(where, headers=key() | ada)).status_code == 404, "nor gives it back"
    assert (await web.post(where, headers=key() | bob)).status_code == 200
    whose = {"customer_id": bob["x-token-subject"]}
    assert (await web.get("/v1/orders", params=whose, headers=ada)).status_code == 403
    assert (await web.post("/v1/orders", json=wish(), headers=key() | ada)).status_code == 403


async def test_staff_sees_all_orders_and_changes_stock_and_catalog(web: httpx.AsyncClient) -> None:
    mine = await placed(web, customer())
    assert (await web.get(f"/v1/orders/{mine['id']}", headers=STAFF)).status_code == 200
    product = {
        "id": f"p-{uuid.uuid4().hex}",
        "name": "Bowl",
        "price": {"currency": "EUR", "minor": 900},
    }
    assert (await web.post("/v1/products", json=product, headers=STAFF)).status_code == 201
    where = f"/v1/stock/{product['id']}"
    assert (await web.put(where, json={"on_hand": 7}, headers=STAFF)).json()["available"] == 7
    for refused in (customer(), {"x-token-subject": "eve", "x-token-role": "root"}):
        assert (await web.put(where, json={"on_hand": 1}, headers=refused)).status_code == 403
        assert (await web.post("/v1/products", json=product, headers=refused)).status_code == 403
        assert (await web.get("/v1/keys", headers=refused)).status_code == 403


async def made(web: httpx.AsyncClient, *scopes: str, **more: Any) -> tuple[str, dict[str, str]]:
    """(id, the header)"""
    answer = await web.post(
        "/v1/keys", json={"name": "a test", "scopes": list(scopes), **more}, headers=STAFF
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["key"]["id"], {"x-api-key": answer.json()["text"]}


async def test_a_key_may_what_it_was_made_for_until_it_is_revoked(web: httpx.AsyncClient) -> None:
    mine = await placed(web, customer())
    id_, reader = await made(web, "orders:read", customer=mine["customer_id"])
    assert (await web.get(f"/v1/orders/{mine['id']}", headers=reader)).status_code == 200
    other = await placed(web, customer())
    assert (await web.get(f"/v1/orders/{other['id']}", headers=reader)).status_code == 404
    assert (await web.post("/v1/orders", json=wish(), headers=key() | reader)).status_code == 403
    assert (await web.delete(f"/v1/keys/{id_}", headers=STAFF)).status_code == 204
    answer = await web.get(f"/v1/orders/{mine['id']}", headers=reader)
    assert answer.status_code == 401
    assert problem(answer)["reason"] == "ERROR_REASON_KEY_INVALID"
    assert (await web.delete("/v1/keys/none", headers=STAFF)).status_code == 404


async def test_a_key_expires(web: httpx.AsyncClient) -> None:
    _, old = await made(web, "orders:read", expire_time="2020-01-01T00:00:00Z")
    assert (await web.get("/v1/orders", headers=old)).status_code == 401


@pytest.mark.parametrize("said", ["", "nonsense", "shop_000000000000_" + "A" * 43])
async def test_a_key_that_nobody_made_opens_nothing(web: httpx.AsyncClient, said: str) -> None:
    assert (await web.get("/v1/orders", headers={"x-api-key": said})).status_code == 401


async def test_what_is_kept_and_logged_of_a_key_does_not_open_anything(
    web: httpx.AsyncClient, closed: Storefront
) -> None:
    _, header = await made(web, "orders:read")
    await web.get("/v1/orders/none", headers=header)
    secret = header["x-api-key"].rpartition("_")[2]
    for file in closed.folder.glob("storefront.db*"):
        assert secret.encode() not in file.read_bytes()
    assert secret not in closed.log.read_text()
    listed = await web.get("/v1/keys", headers=STAFF)
    assert secret not in listed.text
    assert "hash" not in listed.text


async def test_the_first_key_is_made_by_a_command(web: httpx.AsyncClient, closed: Storefront) -> None:
    command = [sys.executable, "-m", "services.storefront.keys", "till", "keys", "stock:write"]
    database = {"DATABASE_URL": f"sqlite+aiosqlite:///{closed.database}"}
    making = await asyncio.create_subprocess_exec(
        *command, env=os.environ | database, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(making.communicate(), PATIENCE)
    first = {"x-api-key": said.decode().strip()}
    assert "till" in [each["name"] for each in (await web.get("/v1/keys", headers=first)).json()["keys"]]
    assert (await web.get("/v1/orders", headers=first)).status_code == 403


async def test_graphql_knows_the_same_callers(web: httpx.AsyncClient) -> None:
    ada, wanted = customer(), order()
    mine = {name: value for name, value in wanted.items() if name != "customerId"}
    found = await ask(web, PLACE, ada, order=mine)
    assert found["data"]["placeOrder"]["state"] == "CONFIRMED", found
    query = f'{{ order(id: "{found["data"]["placeOrder"]["id"]}") {{ customerId }} }}'
    assert (await ask(web, query, ada))["data"]["order"] == {"customerId": ada["x-token-subject"]}
    assert (await ask(web, query, customer()))["data"] == {"order": None}
    assert (await ask(web, query, STAFF))["data"]["order"]
    refused = await ask(web, query)
    assert refused["errors"][0]["extensions"]["status"] == 401
    refused = await ask(web, PLACE, ada, order=wanted)
    assert refused["errors"][0]["extensions"]["reason"] == "ERROR_REASON_NOT_OWN"
