"""The operator's command, as it is run in its pod."""

import asyncio
import json
import os
import signal
import sys
import uuid

import pytest
from grpc import aio

from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub
from tests.services.conftest import Shop
from tests.services.process import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
LIMIT = 30.0


async def started(shop: Shop, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.operator",
        *arguments,
        env=os.environ | {"ORDERS_ADDRESS": shop.orders.address},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said(shop: Shop, *arguments: str) -> tuple[int | None, str, str]:
    """Its exit code, and what it said as output and as errors."""
    process = await started(shop, *arguments)
    async with asyncio.timeout(LIMIT):
        out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


async def test_it_lists_sagas_until_they_end(shop: Shop) -> None:
    request = pb.PlaceOrderRequest(
        key=uuid.uuid4().hex, customer_id=uuid.uuid4().hex, payment_method="tok_visa"
    )
    request.items.add(product_id="mug", quantity=1)
    async with aio.insecure_channel(shop.orders.address) as channel:
        order = (await OrdersServiceStub(channel).PlaceOrder(request, timeout=LIMIT)).order
    for arguments in (("list",), ("list", "--stuck")):
        code, out, errors = await said(shop, *arguments)
        assert (code, errors) == (0, "")
        assert order.id not in [json.loads(line)["orderId"] for line in out.splitlines()]


@pytest.mark.parametrize("do", ["retry", "compensate"])
async def test_it_says_why_a_call_was_refused(shop: Shop, do: str) -> None:
    code, out, errors = await said(shop, do, "none")
    assert (code, out, errors) == (1, "", "NOT_FOUND: no saga has the id 'none'\n")


async def test_it_waits_until_it_is_asked_to_stop(shop: Shop) -> None:
    process = await started(shop)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(LIMIT):
        assert await process.wait() in (0, -signal.SIGTERM), (
            "the signal may come before it is told to wait for it"
        )
