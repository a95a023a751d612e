"""What the storefront does as every service of the kit does, though it is spoken to in HTTP."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.services.conftest import Shop
from tests.services.storefront.conftest import Storefront, beside
from tests.services.storefront.test_rest import first_order, key, problem, wish

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
TRACE = "0af7651916cd43dd8448eb211c80319c"
SLOW = {"x-fault-payments": "delay=2.5s;method=Charge"}
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "x-request-id": "request-1"}


async def test_health_is_told_to_probes(web: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz"):
        assert (await web.get(path)).status_code == 200


async def test_the_trace_and_the_request_id_reach_the_services_behind(
    web: httpx.AsyncClient, shop: Shop
) -> None:
    answer = await web.get("/v1/products/no-such-thing", headers=PARENT)
    assert answer.headers["x-request-id"] == "request-1"
    assert problem(answer)["trace_id"] == TRACE
    (line,) = [
        each
        for each in shop.catalog.events()
        if each.get("trace_id") == TRACE and each["event"] == "call refused"
    ]
    assert line["correlation_id"] == "request-1"


async def test_headers_that_no_service_can_take_do_no_harm(web: httpx.AsyncClient) -> None:
    odd = {b"x-request-id": b"\xff\x01", b"baggage": "käse".encode(), b"traceparent": b"nonsense"}
    answer = await web.get("/v1/products/mug", headers=list(odd.items()))
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]


async def test_browsers_are_told_what_they_must_not_do(web: httpx.AsyncClient) -> None:
    for path in ("/v1/products", "/nowhere"):
        headers = (await web.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
    assert (
        "strict-transport-security"
        in (await web.get("/v1/products", headers={"x-forwarded-proto": "https"})).headers
    )


async def test_a_body_has_a_limit_whether_its_length_is_said_or_not(web: httpx.AsyncClient) -> None:
    async def chunks() -> object:
        for _ in range(5):
            yield b" " * 20_000

    for body in (b" " * 100_000, chunks()):
        answer = await web.post("/v1/orders", content=body, headers=key())  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert "65536" in problem(answer)["detail"]


async def test_what_takes_longer_than_the_proxy_in_front_waits_is_a_timeout(web: httpx.AsyncClient) -> None:
    slow = {"x-fault-storefront": "hang", "x-envoy-expected-rq-timeout-ms": "200"}
    answer = await web.get("/v1/products", headers=slow)
    assert answer.status_code == 504
    assert problem(answer)["reason"] == "ERROR_REASON_TIMED_OUT"


async def test_in_development_a_fault_can_be_asked_for(web: httpx.AsyncClient) -> None:
    answer = await web.get("/v1/products", headers={"x-fault-storefront": "code=RESOURCE_EXHAUSTED"})
    assert answer.status_code == 429
    assert problem(answer)["reason"] == "ERROR_REASON_FAULT"
    assert answer.headers["served-by"] == "storefront-0"


async def test_it_drains_without_losing_a_request_or_what_streams(shop: Shop, tmp_path: Path) -> None:
    process = beside(shop, tmp_path)
    await process.start()
    await process.ready()
    async with process.client() as client:
        order = wish()
        placing = asyncio.create_task(client.post("/v1/orders", json=order, headers=key() | SLOW))
        placed = await first_order(client, order["customer_id"])
        following = asyncio.create_task(client.get(f"/v1/orders/{placed}/events"))
        stopping = asyncio.create_task(process.stop())
        answers = []
        while not await _draining(client):
            answers.append((await client.get("/v1/products")).status_code)
        answers.append((await client.get("/v1/products")).status_code)
        assert set(answers) == {200}
        told = (await following).text
        assert "PLACING" in told
        assert "CONFIRMED" not in told, "it ends before its order does"
        assert (await placing).status_code == 201
        assert await stopping == 0


async def _draining(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 503


async def test_it_cannot_start_without_the_services_behind(tmp_path: Path) -> None:
    process = Storefront("storefront", tmp_path)
    await process.start()
    assert process.process is not None
    assert await asyncio.wait_for(process.process.wait(), 30) == 1
    assert "CATALOG_ADDRESS is not set" in process.log.read_text()
