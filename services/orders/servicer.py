"""Orders over gRPC: requests in, orders out; places them by the saga in placing."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.gen.shop.catalog.v1.catalog_pb2 import BatchGetProductsRequest
from services.gen.shop.money.v1.money_pb2 import Money
from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceServicer
from services.kit.call import CURRENT
from services.kit.database import Database
from services.kit.errors import NotFound
from services.kit.events.outbox import Outbox
from services.kit.saga.runner import Runner
from services.kit.saga.store import Saga
from services.orders import events, store
from services.orders import order as rules
from services.orders.order import Order, State, Wish
from services.orders.placing import KIND

if TYPE_CHECKING:  # this name exists in the stubs only
    from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceAsyncStub

PAGE = 50
ANSWER = 0.03  # seconds before the deadline, for the answer to arrive
WATCH = 0.2  # seconds between looks for somebody who watches
LOOK = 0.05  # seconds between looks at an order that another process is placing


@dataclass(frozen=True)
class Orders(OrdersServiceServicer):
    """One method an RPC; the contract says what each does."""

    database: Database
    catalog: "CatalogServiceAsyncStub"
    runner: Runner
    outbox: Outbox
    now: Callable[[], datetime]
    random: random.Random

    async def PlaceOrder(self, request: pb.PlaceOrderRequest, context: Any) -> pb.PlaceOrderResponse:
        items = [(item.product_id, item.quantity) for item in request.items]
        wish = rules.wish(request.key, request.customer_id, items, request.payment_method)
        order = await self._placed_before(wish) or await self._place(wish)
        rules.check_same(order, wish)
        order = await self._settled(order)
        if error := rules.answer(order):
            raise error
        return pb.PlaceOrderResponse(order=_message(order))

    async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:
        return pb.GetOrderResponse(order=_message(await self._known(request.id)))

    async def WatchOrder(
        self, request: pb.WatchOrderRequest, context: Any
    ) -> AsyncGenerator[pb.WatchOrderResponse, None]:
        last: Order | None = None
        while last is None or not last.ended:
            order = await self._known(request.id)
            if order != last:
                yield pb.WatchOrderResponse(order=_message(order))
            last = order
            if order.state is State.PLACING:
                await self.runner.decided(order.id, WATCH, WATCH)
            elif not order.ended:
                await asyncio.sleep(WATCH)

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Any) -> pb.ListOrdersResponse:
        size = request.page_size or PAGE
        async with self.database.read() as connection:
            found = await store.page(connection, request.page_token, size + 1, request.customer_id)
        more = found[size - 1].id if len(found) > size else ""
        return pb.ListOrdersResponse(orders=[_message(order) for order in found[:size]], next_page_token=more)

    async def _known(self, order: str) -> Order:
        """Raises NotFound."""
        async with self.database.read() as connection:
            found = await store.get(connection, order)
        if found is None:
            raise NotFound("ERROR_REASON_ORDER_NOT_FOUND", f"no order has the id {order!r}", order_id=order)
        return found

    async def _placed_before(self, wish: Wish) -> Order | None:
        async with self.database.read() as connection:
            return await store.placed_with(connection, wish.key)

    async def _place(self, wish: Wish) -> Order:
        """Adds the order and its saga, and starts on it; or returns the order that another call with the same key has
        added meanwhile."""
        now = self.now()
        order = rules.priced(_new_id(now, self.random), wish, await self._prices(wish), now)
        current = CURRENT.get()
        saga = Saga(order.id, KIND, current.span.header if current else "")
        async with self.database.write() as connection:
            added = await store.add(connection, order)
            if added:
                await self.runner.begin(connection, saga)
                await events.tell(self.outbox, connection, order)
            existing = order if added else await store.placed_with(connection, wish.key)
        if added:
            self.runner.carry_out(saga)
        return existing or order

    async def _prices(self, wish: Wish) -> Mapping[str, tuple[str, int]]:
        request = BatchGetProductsRequest(ids=[product for product, _ in wish.items])
        found = await self.catalog.BatchGetProducts(request)
        return {product.id: (product.price.currency, product.price.minor) for product in found.products}

    async def _settled(self, order: Order) -> Order:
        """The order once it is decided, or as it stands when there is just time left to answer."""
        current = CURRENT.get()
        clock = asyncio.get_running_loop().time
        limit = current.deadline - ANSWER if current else clock()
        while order.state is State.PLACING and (remaining := limit - clock()) > 0:
            await self.runner.decided(order.id, remaining, LOOK)
            async with self.database.read() as connection:
                order = await store.get(connection, order.id) or order
        return order


def _new_id(now: datetime, source: random.Random) -> str:
    """Later ones sort after earlier ones."""
    return f"{int(now.timestamp() * 1000):012x}{source.getrandbits(48):012x}"


def _message(order: Order) -> pb.Order:
    message = pb.Order(
        id=order.id,
        key=order.key,
        customer_id=order.customer_id,
        total=Money(currency=order.currency, minor=order.total),
        state=pb.OrderState.Value(f"ORDER_STATE_{order.state}"),
    )
    for line in order.lines:
        price = Money(currency=order.currency, minor=line.price)
        message.lines.add(product_id=line.product_id, quantity=line.quantity, unit_price=price)
    if order.failure:
        message.failure.reason = pb.ErrorReason.Value(order.failure)
        message.failure.message = order.message
    message.create_time.FromDatetime(order.created)
    return message
