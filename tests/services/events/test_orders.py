"""What orders tells, from real processes, one of which is killed at work."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
import structlog
from grpc import aio

from services.gen.shop.events.v1.events_pb2 import CANCEL_REASON_PAYMENT_DECLINED, Envelope
from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub
from services.kit.events.broker import Broker, Unreachable, open_broker
from tests.services.conftest import Shop, started
from tests.services.events.brokers.nats import NatsServer
from tests.services.events.world import until
from tests.services.process import Process

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("orders that tell")]


class Told(list[Envelope]):
    """What was told so far, each event once."""

    def of(self, order: str) -> list[str | None]:
        return [event.WhichOneof("payload") for event in self if event.aggregate_id == order]

    async def so_far(self) -> int:
        return len(self)

    async def listen(self, server: NatsServer) -> None:
        broker = open_broker(server.url, structlog.get_logger())
        try:
            while True:
                with contextlib.suppress(Unreachable):
                    await self._hear(broker)
        finally:
            await broker.close()

    async def _hear(self, broker: Broker) -> None:
        async with broker.subscribe("order", "test") as deliveries:
            async for delivery in deliveries:
                event = Envelope.FromString(delivery.body)
                if event.event_id not in {known.event_id for known in self}:
                    self.append(event)
                await delivery.ack()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("broker"))
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def orders(broker: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    shop = await started(tmp_path_factory.mktemp("shop"), {"EVENTS_URL": broker.url})
    yield shop
    for process in (shop.orders, shop.payments, shop.inventory, shop.catalog):
        assert await process.stop() == 0, process.log.read_text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(broker: NatsServer) -> AsyncIterator[Told]:
    told = Told()
    listening = asyncio.create_task(told.listen(broker))
    yield told
    listening.cancel()
    await asyncio.wait([listening])


async def place(shop: Shop, key: str, method: str = "tok_visa") -> grpc.StatusCode:
    request = pb.PlaceOrderRequest(key=key, customer_id="ada", payment_method=method)
    request.items.add(product_id="mug", quantity=1)
    async with aio.insecure_channel(shop.orders.address) as channel:
        try:
            await OrdersServiceStub(channel).PlaceOrder(request, timeout=5)
        except aio.AioRpcError as error:
            return error.code()
    return grpc.StatusCode.OK


async def placed(shop: Shop) -> list[pb.Order]:
    async with aio.insecure_channel(shop.orders.address) as channel:
        stub = OrdersServiceStub(channel)
        return list((await stub.ListOrders(pb.ListOrdersRequest(page_size=100))).orders)


async def test_an_order_is_told_placed_and_then_how_it_ended(orders: Shop, told: Told) -> None:
    assert await place(orders, "good") is grpc.StatusCode.OK
    assert await place(orders, "declined", "tok_declined") is grpc.StatusCode.FAILED_PRECONDITION
    assert await place(orders, "good") is grpc.StatusCode.OK
    await until(told.so_far, lambda count: count >= 4)
    ids = {order.key: order.id for order in await placed(orders)}
    assert told.of(ids["good"]) == ["order_placed", "order_confirmed"]
    assert told.of(ids["declined"]) == ["order_placed", "order_cancelled"]
    why = {event.order_cancelled.reason for event in told if event.HasField("order_cancelled")}
    assert why == {CANCEL_REASON_PAYMENT_DECLINED}
    traces = {(event.aggregate_id, event.traceparent.split("-")[1]) for event in told}
    assert len(traces) == 2, "both events of an order belong to the trace of the call that placed it"
    assert len(told) == 4


async def test_orders_are_placed_while_the_broker_is_gone_and_told_when_it_is_back(
    orders: Shop, told: Told, broker: NatsServer
) -> None:
    await broker.stop()
    assert await place(orders, "meanwhile") is grpc.StatusCode.OK
    ids = {order.key: order.id for order in await placed(orders)}
    assert told.of(ids["meanwhile"]) == []
    await broker.start()
    known = len(told)
    await until(told.so_far, lambda count: count >= known + 2)
    assert told.of(ids["meanwhile"]) == ["order_placed", "order_confirmed"]


async def test_a_service_ends_in_time_although_the_broker_is_gone(tmp_path: Path, orders: Shop) -> None:
    env = {**orders.orders.env, "EVENTS_URL": "nats://127.0.0.1:1"}
    alone = Process("orders", tmp_path, env)
    await alone.start()
    await alone.ready()
    async with asyncio.timeout(10):
        assert await alone.stop() == 0, alone.log.read_text()


async def test_a_service_does_not_start_with_a_broker_that_nobody_knows(tmp_path: Path, orders: Shop) -> None:
    env = {**orders.orders.env, "EVENTS_URL": "pigeon://loft"}
    alone = Process("orders", tmp_path, env)
    await alone.start()
    assert alone.process is not None
    assert await alone.process.wait() == 1
    assert (
        "EVENTS_URL begins with pigeon://: use one of amqp://, amqps://, kafka://, nats://, tls://"
        in alone.log.read_text()
    )


async def test_a_killed_service_tells_what_became_of_each_order_once(orders: Shop, told: Told) -> None:
    known = len(told)
    placing = [asyncio.create_task(place(orders, f"order-{n}")) for n in range(40)]
    await until(told.so_far, lambda count: count >= known + 10)
    await orders.orders.stop(signal.SIGKILL)
    await asyncio.gather(*placing)
    await orders.orders.start()
    await orders.orders.ready()

    async def settled() -> bool:
        ends = (pb.ORDER_STATE_CONFIRMED, pb.ORDER_STATE_CANCELLED)
        return all(order.state in ends for order in await placed(orders))

    await until(settled, bool)
    found = await placed(orders)
    await until(told.so_far, lambda count: count >= 2 * len(found))
    ends = {pb.ORDER_STATE_CONFIRMED: "order_confirmed", pb.ORDER_STATE_CANCELLED: "order_cancelled"}
    assert {order.id: told.of(order.id) for order in found} == {
        order.id: ["order_placed", ends[order.state]] for order in found
    }
