"""The shop's ingress in a real Envoy, with nothing behind it: who is let through, until he has spent what he has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.compile import Compiler
from mesh.envoy.patching import linked
from mesh.local.ports import Allocator
from mesh.local.render import render
from mesh.model.mesh import Placement
from mesh.model.service import Kind
from mesh.resources.object import parse
from mesh.xds.server import Server
from tests.envoy.jwt.tokens import Issuer
from tests.envoy.running import envoy
from tests.scenarios.local import ROOT

ISSUER = Issuer()
CLAIMS = {"iss": "https://tokens.shop.example", "aud": "shop"}
LET_THROUGH, SPENT = 503, 429  # there is nobody behind
UNAVAILABLE, EXHAUSTED = "14", "8"
BURST, ORDER = 40, 20
SLOWLY = {"burst": BURST, "perSecond": 1}
LIMITS = {"client": SLOWLY, "address": {"burst": 3, "perSecond": 1}}


@pytest.mark.envoy
async def test_each_client_has_its_own_and_spends_it_by_what_requests_cost(tmp_path: Path) -> None:
    async with running(tmp_path, LIMITS | {"address": {"burst": 0, "perSecond": 0}}) as port:
        ada, bob = bearer("ada"), bearer("bob")
        few = BURST // ORDER
        assert await granted(port, "POST", "/v1/orders", ada) in (
            few,
            few + 1,
        )  # a slow machine gives more time
        assert (await ask(port, "POST", "/v1/orders", ada))[0] == SPENT
        assert (await ask(port, "POST", "/v1/orders", bob))[0] == LET_THROUGH
        assert (await ask(port, "POST", "/v1/orders", {"x-api-key": "till"}))[0] == LET_THROUGH
        _, headers = await spent(port, {"x-api-key": "till"})
        assert headers["retry-after"] == "1"
        assert headers["x-ratelimit-limit"].startswith(str(BURST))
        assert (await ask(port, "GET", "/v1/products"))[0] == LET_THROUGH


@pytest.mark.envoy
async def test_a_method_costs_what_its_contract_says_and_a_caller_of_it_is_told_in_its_words(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, LIMITS | {"address": {"burst": 0, "perSecond": 0}}) as port:
        path = "/shop.orders.v1.OrdersService/PlaceOrder"
        call = {"host": "orders.shop.example", "content-type": "application/grpc", "x-api-key": "till"}
        said = [(await ask(port, "POST", path, call))[1]["grpc-status"] for _ in range(BURST // ORDER + 1)]
        assert said == [UNAVAILABLE] * (BURST // ORDER) + [EXHAUSTED]


@pytest.mark.envoy
async def test_callers_with_neither_are_counted_by_address_where_values_say_so(tmp_path: Path) -> None:
    async with running(tmp_path, LIMITS) as port:
        said = [(await ask(port, "GET", "/v1/products"))[0] for _ in range(3)]
        assert said == [LET_THROUGH] * 3
        until_spent = [(await ask(port, "POST", "/v1/orders"))[0] for _ in range(2)]
        assert until_spent[-1] == SPENT


async def granted(port: int, verb: str, path: str, headers: Mapping[str, str]) -> int:
    """How many are let through before the first that is not."""
    for count in range(10):
        if (await ask(port, verb, path, headers))[0] == SPENT:
            return count
    return 10


async def spent(port: int, headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """The answer to the first order that is one too many."""
    for _ in range(10):
        status, said = await ask(port, "POST", "/v1/orders", headers)
        if status == SPENT:
            return status, said
    raise AssertionError("ten orders were let through")


def bearer(subject: str) -> dict[str, str]:
    return {"authorization": f"Bearer {ISSUER.token({**CLAIMS, 'sub': subject})}"}


@asynccontextmanager
async def running(directory: Path, limits: Mapping[str, Any]) -> AsyncIterator[int]:
    """The port of the ingress of the shop's chart."""
    values = {"global": {"tokens": {"jwks": ISSUER.keys}}, "ingress": {"rateLimits": dict(limits)}}
    made = render(ROOT / "charts" / "shop", "shop", "shop", (), values)
    objects, problems = parse(made.text, "shop")
    mesh, more = linked(objects)
    assert not [each for each in (*made.problems, *problems, *more) if each.severity.name == "ERROR"]
    gateway = next(each for each in mesh.workloads if each.kind is Kind.ROUTER)
    server = Server()
    with closing(Allocator()) as allocator:
        port = allocator.take()
        placement = Placement(local=True, gateway={(gateway.key, 8080): port})
        snapshot, wrong = Compiler(mesh, placement).compile(gateway)
        assert not wrong
        alone = replace(snapshot, clusters={}, endpoints={})  # which would wait for certificates
        async with server.serve(directory / "xds.sock"), envoy(directory, gateway.proxy_id):
            await server.publish(gateway.proxy_id, alone)
            await server.wait_accepted(gateway.proxy_id, alone.version, 20)
            yield port


async def ask(
    port: int, verb: str, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    sent = {
        "host": "storefront.shop.example",
        "connection": "close",
        "content-length": "0",
        **(headers or {}),
    }
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    writer.write(f"{verb} {path} HTTP/1.1\r\n{lines}\r\n".encode())
    head, _, _ = (await asyncio.wait_for(reader.read(), 20)).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    first, *rest = head.splitlines()
    return int(first.split()[1]), dict(line.split(": ", 1) for line in rest)
