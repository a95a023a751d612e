"""A reservation that nobody confirms in time: its goods are free again, and it cannot be confirmed any more."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import aio

from services.gen.shop.inventory.v1 import inventory_pb2 as pb
from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from tests.services.conformance.habits import failure
from tests.services.conftest import Shop
from tests.services.events.world import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]


@pytest_asyncio.fixture(loop_scope="session")
async def stub(shop: Shop) -> AsyncIterator[Any]:
    async with aio.insecure_channel(shop.inventory.address) as channel:
        yield InventoryServiceStub(channel)


async def stocked(stub: Any) -> str:
    """A product of its own, of which there are ten."""
    product = uuid.uuid4().hex
    await stub.SetStock(pb.SetStockRequest(product_id=product, on_hand=10))
    return product


async def reserve(stub: Any, product: str, hold: timedelta) -> str:
    request = pb.ReserveRequest(reservation_id=uuid.uuid4().hex, hold=hold)
    request.lines.add(product_id=product, quantity=4)
    assert (await stub.Reserve(request)).reservation.state == pb.RESERVATION_STATE_RESERVED
    return request.reservation_id


async def reserved(stub: Any, product: str) -> int:
    stock = (await stub.GetStock(pb.GetStockRequest(product_id=product))).stock
    assert stock.on_hand == 10
    return int(stock.reserved)


async def test_what_nobody_confirms_in_time_is_free_again(stub: Any) -> None:
    product = await stocked(stub)
    kept = await reserve(stub, product, timedelta(minutes=5))
    late = await reserve(stub, product, timedelta(milliseconds=300))
    assert await reserved(stub, product) == 8
    await until(lambda: reserved(stub, product), lambda held: held == 4)
    error = await failure(stub.Confirm(pb.ConfirmRequest(reservation_id=late)))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert f"reservation {late} is expired" in (error.details() or "")
    released = (await stub.Release(pb.ReleaseRequest(reservation_id=late))).reservation
    assert released.state == pb.RESERVATION_STATE_EXPIRED, "giving it back is no mistake, and changes nothing"
    assert await reserved(stub, product) == 4
    confirmed = (await stub.Confirm(pb.ConfirmRequest(reservation_id=kept))).reservation
    assert confirmed.state == pb.RESERVATION_STATE_CONFIRMED


async def test_it_cannot_be_confirmed_from_the_moment_its_time_is_up(stub: Any) -> None:
    """However long the sweep that gives its goods back may take to come by."""
    late = await reserve(stub, await stocked(stub), timedelta(microseconds=1))
    error = await failure(stub.Confirm(pb.ConfirmRequest(reservation_id=late)))
    assert "is expired" in (error.details() or "")
