"""WatchOrder: an order's states as they come, until it is decided or the process leaves."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub
from tests.services.conformance.habits import details, failure
from tests.services.conftest import Shop
from tests.services.process import Process

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
LIMIT = 20.0


def wish() -> pb.PlaceOrderRequest:
    request = pb.PlaceOrderRequest(
        key=uuid.uuid4().hex, customer_id=uuid.uuid4().hex, payment_method="tok_visa"
    )
    request.items.add(product_id="mug", quantity=1)
    return request


async def placing(stub: Any, request: pb.PlaceOrderRequest, fault: str) -> tuple[Any, str]:
    """A call under way, and the id of its order, which is not decided yet."""
    call = asyncio.ensure_future(
        stub.PlaceOrder(request, timeout=LIMIT, metadata=(("x-fault-payments", f"{fault};method=Charge"),))
    )
    while True:
        listed = await stub.ListOrders(pb.ListOrdersRequest(customer_id=request.customer_id), timeout=LIMIT)
        if listed.orders:
            return call, listed.orders[0].id
        await asyncio.sleep(0.02)


async def states(stub: Any, order: str) -> list[str]:
    watching = stub.WatchOrder(pb.WatchOrderRequest(id=order), timeout=LIMIT)
    return [pb.OrderState.Name(response.order.state) async for response in watching]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("delay=0.5s", ["ORDER_STATE_PLACING", "ORDER_STATE_CONFIRMED"]),
        ("delay=0.5s;code=FAILED_PRECONDITION", ["ORDER_STATE_PLACING", "ORDER_STATE_CANCELLED"]),
    ],
)
async def test_each_state_is_told_once_and_the_last_ends_it(shop: Shop, fault: str, seen: list[str]) -> None:
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub: Any = OrdersServiceStub(channel)
        call, order = await placing(stub, wish(), fault)
        told = await states(stub, order)
        assert [each for each in told if each != "ORDER_STATE_CANCELLING"] == seen
        assert await states(stub, order) == seen[-1:], "one that is decided is told once"
        await asyncio.wait([call])
        call.exception()


async def test_an_order_that_does_not_exist_cannot_be_watched(shop: Shop) -> None:
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub: Any = OrdersServiceStub(channel)
        error = await failure(states(stub, "none"))
        assert error.code() is grpc.StatusCode.NOT_FOUND
        error = await failure(states(stub, ""))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "served-by" in dict(error.trailing_metadata() or ())


async def test_a_stream_ends_when_its_process_leaves(shop: Shop, tmp_path: Path) -> None:
    addresses = {f"{each.name.upper()}_ADDRESS": each.address for each in shop.behind}
    leaving = Process("orders", tmp_path, addresses)
    await leaving.start()
    await leaving.ready()
    async with aio.insecure_channel(leaving.address) as channel:
        stub: Any = OrdersServiceStub(channel)
        call, order = await placing(stub, wish(), "hang")
        watching = stub.WatchOrder(pb.WatchOrderRequest(id=order), timeout=LIMIT)
        responses = aiter(watching)
        assert (await anext(responses)).order.state == pb.ORDER_STATE_PLACING
        stopping = asyncio.create_task(leaving.stop())
        error = await failure(_rest(responses))
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        (info,) = next(found for found in details(error).values() if found)
        assert info.reason == "ERROR_REASON_LEAVING"
        call.cancel()
        assert await stopping == 0


async def _rest(responses: AsyncIterator[Any]) -> None:
    async for _ in responses:
        pass
