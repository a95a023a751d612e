"""ReturnOrder: what it leaves in each service, whatever fails on the way."""

import asyncio
import signal
import uuid
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from grpc import aio

from services.gen.shop.inventory.v1 import inventory_pb2 as inventory
from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub
from services.gen.shop.payments.v1 import payments_pb2 as payments
from services.gen.shop.payments.v1.payments_pb2_grpc import PaymentsServiceStub
from services.gen.shop.shipping.v1 import shipping_pb2 as shipping
from services.gen.shop.shipping.v1.shipping_pb2_grpc import ShippingServiceStub
from tests.services.conformance.habits import details, failure
from tests.services.conftest import Shop
from tests.services.events.world import until
from tests.services.process import Process

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
LIMIT = 30.0
PRODUCT = "mug"
Header = tuple[str, str]


class Books(NamedTuple):
    """What each service knows of an order; `on_hand` of its product."""

    order: str
    charge: str
    shipment: str
    on_hand: int


async def placed(shop: Shop, method: str = "tok_visa") -> str:
    """The id of an order that has come to its end."""
    request = pb.PlaceOrderRequest(key=uuid.uuid4().hex, customer_id=uuid.uuid4().hex, payment_method=method)
    request.items.add(product_id=PRODUCT, quantity=2)
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub: Any = OrdersServiceStub(channel)
        if method == "tok_visa":
            return str((await stub.PlaceOrder(request, timeout=LIMIT)).order.id)
        await failure(stub.PlaceOrder(request, timeout=LIMIT))
        listed = await stub.ListOrders(pb.ListOrdersRequest(customer_id=request.customer_id))
        return str(listed.orders[0].id)


async def give_back(
    shop: Shop, order: str, key: str = "", faults: tuple[Header, ...] = (), limit: float = 5.0
) -> pb.Order:
    request = pb.ReturnOrderRequest(key=key or uuid.uuid4().hex, order_id=order)
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub: Any = OrdersServiceStub(channel)
        return (await stub.ReturnOrder(request, timeout=limit, metadata=faults)).order


async def look(shop: Shop, order: str) -> pb.Order:
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub: Any = OrdersServiceStub(channel)
        return (await stub.GetOrder(pb.GetOrderRequest(id=order), timeout=LIMIT)).order


async def books(shop: Shop, order: str) -> Books:
    async with (
        aio.insecure_channel(shop.payments.address) as to_payments,
        aio.insecure_channel(shop.shipping.address) as to_shipping,
        aio.insecure_channel(shop.inventory.address) as to_inventory,
    ):
        stubs: tuple[Any, ...] = (
            PaymentsServiceStub(to_payments),
            ShippingServiceStub(to_shipping),
            InventoryServiceStub(to_inventory),
        )
        charge = await stubs[0].GetCharge(payments.GetChargeRequest(key=f"{order}:charge"))
        shipment = await stubs[1].GetShipment(shipping.GetShipmentRequest(key=f"{order}:ship"))
        stock = await stubs[2].GetStock(inventory.GetStockRequest(product_id=PRODUCT))
    return Books(
        pb.OrderState.Name((await look(shop, order)).state),
        payments.ChargeState.Name(charge.charge.state),
        shipping.ShipmentState.Name(shipment.shipment.state),
        stock.stock.on_hand,
    )


async def comes_to(shop: Shop, order: str, state: "pb.OrderState.ValueType") -> None:
    await until(lambda: look(shop, order), lambda found: found.state == state)


def reason(error: aio.AioRpcError) -> str:
    return next(str(found[0].reason) for found in details(error).values() if found)


def kept(before: Books) -> Books:
    return before._replace(order="ORDER_STATE_CONFIRMED")


def returned(before: Books) -> Books:
    return Books(
        "ORDER_STATE_RETURNED", "CHARGE_STATE_REFUNDED", "SHIPMENT_STATE_RETURNED", before.on_hand + 2
    )


async def test_what_is_returned_is_paid_back_and_in_stock_again(shop: Shop) -> None:
    order = await placed(shop)
    before = await books(shop, order)
    first = await give_back(shop, order, "again" + order)
    assert first.state == pb.ORDER_STATE_RETURNED
    assert await give_back(shop, order, "again" + order) == first, "the same key is the same return"
    assert await books(shop, order) == returned(before)
    assert (await look(shop, order)).order_return.key == "again" + order


async def test_an_order_is_returned_once(shop: Shop) -> None:
    order, other = await placed(shop), await placed(shop)
    await give_back(shop, order, "once" + order)
    error = await failure(give_back(shop, order))
    assert (error.code(), reason(error)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "ERROR_REASON_ORDER_NOT_RETURNABLE",
    )
    error = await failure(give_back(shop, other, "once" + order))
    assert (error.code(), reason(error)) == (grpc.StatusCode.ALREADY_EXISTS, "ERROR_REASON_RETURN_DIFFERS")
    assert (await look(shop, other)).state == pb.ORDER_STATE_CONFIRMED


async def test_two_at_once_are_one(shop: Shop) -> None:
    order = await placed(shop)
    before = await books(shop, order)
    keys = ("one" + order, "one" + order, "two" + order)
    done = await asyncio.gather(*(give_back(shop, order, key) for key in keys), return_exceptions=True)
    assert sum(isinstance(each, pb.Order) for each in done) in (1, 2)
    assert await books(shop, order) == returned(before)


async def test_only_what_is_confirmed_can_be_returned(shop: Shop) -> None:
    error = await failure(give_back(shop, await placed(shop, "tok_declined")))
    assert reason(error) == "ERROR_REASON_ORDER_NOT_RETURNABLE"
    error = await failure(give_back(shop, "none"))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_a_refused_take_back_leaves_the_order_confirmed_and_returnable(shop: Shop) -> None:
    order = await placed(shop)
    before = await books(shop, order)
    refuse = (("x-fault-shipping", "code=FAILED_PRECONDITION;method=ReturnShipment"),)
    for _ in range(2):
        error = await failure(give_back(shop, order, "no" + order, refuse))
        assert (error.code(), reason(error)) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "ERROR_REASON_STEP_REFUSED",
        )
    assert await books(shop, order) == kept(before)
    failed = (await look(shop, order)).order_return.failure
    assert failed.reason == pb.ERROR_REASON_STEP_REFUSED
    assert failed.message.startswith("take back: ")
    await give_back(shop, order)
    assert await books(shop, order) == returned(before)
    error = await failure(give_back(shop, order, "no" + order))
    assert reason(error) == "ERROR_REASON_STEP_REFUSED", "answered as the first time"


async def test_a_refused_refund_sends_the_goods_out_again(shop: Shop) -> None:
    order = await placed(shop)
    before = await books(shop, order)
    refuse = (("x-fault-payments", "code=FAILED_PRECONDITION;method=Refund"),)
    error = await failure(give_back(shop, order, "", refuse))
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    await comes_to(shop, order, pb.ORDER_STATE_CONFIRMED)
    assert await books(shop, order) == kept(before)


@pytest.mark.parametrize(
    "fault",
    [
        ("x-fault-shipping", "code=UNAVAILABLE;when=after;method=ReturnShipment"),
        ("x-fault-payments", "code=UNAVAILABLE;when=after;method=Refund"),
        ("x-fault-payments", "code=UNAVAILABLE;method=Refund"),
        ("x-fault-inventory", "code=FAILED_PRECONDITION;method=Release"),
    ],
)
async def test_what_fails_for_a_moment_is_tried_again(shop: Shop, fault: Header) -> None:
    order = await placed(shop)
    before = await books(shop, order)
    done = await give_back(shop, order, "", (fault,), LIMIT)
    assert done.state == pb.ORDER_STATE_RETURNED
    assert await books(shop, order) == returned(before)


async def test_a_refund_that_hangs_is_answered_in_time_and_finished_later(shop: Shop) -> None:
    order = await placed(shop)
    before = await books(shop, order)
    hang = (("x-fault-payments", "hang;method=Refund"),)
    clock = asyncio.get_running_loop().time
    started = clock()
    error = await failure(give_back(shop, order, "", hang, 1.0))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert clock() - started < 1.1
    await comes_to(shop, order, pb.ORDER_STATE_RETURNED)
    assert await books(shop, order) == returned(before)


async def test_a_killed_process_leaves_a_return_that_another_finishes(shop: Shop, tmp_path: Path) -> None:
    addresses = {f"{each.name.upper()}_ADDRESS": each.address for each in shop.behind}
    doomed = Process("orders", tmp_path, addresses)
    await doomed.start()
    await doomed.ready()
    own = Shop(*shop.behind, doomed)
    order = await placed(own)
    before = await books(own, order)
    slow = (("x-fault-payments", "hang;when=after;method=Refund"),)
    asking = asyncio.ensure_future(give_back(own, order, "", slow, LIMIT))
    await until(lambda: books(own, order), lambda found: found.charge == "CHARGE_STATE_REFUNDED")
    await doomed.stop(signal.SIGKILL)
    await failure(asking)
    await doomed.start()
    await doomed.ready()
    await comes_to(own, order, pb.ORDER_STATE_RETURNED)
    assert await books(own, order) == returned(before)
    assert await doomed.stop() == 0


async def test_an_operator_sees_a_return_and_cannot_undo_it_once_money_may_be_back(shop: Shop) -> None:
    order = await placed(shop)
    hang = (("x-fault-payments", "hang;method=Refund"),)
    asking = asyncio.ensure_future(give_back(shop, order, "", hang, LIMIT))
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub: Any = OrdersServiceStub(channel)

        async def saga() -> Any:
            listed = await stub.ListSagas(pb.ListSagasRequest(page_size=100))
            return next((s for s in listed.sagas if s.order_id == order and s.step == "refund"), None)

        found = await until(saga, bool)
        assert (found.kind, found.direction) == ("return order", pb.SAGA_DIRECTION_FORWARD)
        error = await failure(stub.CompensateSaga(pb.CompensateSagaRequest(id=found.id)))
        assert reason(error) == "ERROR_REASON_SAGA_PAST_RETURN"
        retried = (await stub.RetrySaga(pb.RetrySagaRequest(id=found.id))).saga
        assert retried.owner, "it is left to the process that is at it"
    assert (await asking).state == pb.ORDER_STATE_RETURNED
