"""Orders over gRPC: requests in, orders out; places them by the saga in placing, takes them back by that in returning."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.catalog.v1.catalog_pb2 import BatchGetProductsRequest
from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceServicer
from services.kit.call import CURRENT
from services.kit.errors import NotFound
from services.kit.events.outbox import Outbox
from services.kit.saga.runner import Runner
from services.kit.saga.store import Saga
from services.orders import events, returned, store
from services.orders import order as rules
from services.orders.messages import message
from services.orders.operating import Operating
from services.orders.order import Order, State, Wish
from services.orders.placing import KIND as PLACE
from services.orders.returning import KIND as RETURN

if TYPE_CHECKING:  # this name exists in the stubs only
    from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceAsyncStub

Read = Callable[[AsyncConnection, str], Awaitable[Order | None]]
PAGE = 50
ANSWER = 0.03  # seconds before the deadline, for the answer to arrive
WATCH = 0.2  # seconds between looks for somebody who watches
LOOK = 0.05  # seconds between looks at an order that another process is placing


@dataclass(frozen=True)
class Orders(Operating, OrdersServiceServicer):
    """One method an RPC; the contract says what each does. Those for operators are in operating."""

    catalog: "CatalogServiceAsyncStub"
    runner: Runner
    outbox: Outbox
    random: random.Random

    async def PlaceOrder(self, request: pb.PlaceOrderRequest, context: Any) -> pb.PlaceOrderResponse:
        items = [(item.product_id, item.quantity) for item in request.items]
        wish = rules.wish(request.key, request.customer_id, items, request.payment_method)
        order = await self._placed_before(wish) or await self._place(wish)
        rules.check_same(order, wish)
        order = await self._settled(order, order.id, store.get)
        if error := rules.answer(order):
            raise error
        return pb.PlaceOrderResponse(order=message(order))

    async def ReturnOrder(self, request: pb.ReturnOrderRequest, context: Any) -> pb.ReturnOrderResponse:
        order = await self._returned_before(request) or await self._return(request)
        returned.check_same(order, request.order_id)
        assert order.returned is not None, "it was found by its return, or has just got one"
        order = await self._settled(order, order.returned.id, store.returned_by)
        if error := returned.answer(order):
            raise error
        return pb.ReturnOrderResponse(order=message(order))

    async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:
        return pb.GetOrderResponse(order=message(await self._known(request.id)))

    async def WatchOrder(
        self, request: pb.WatchOrderRequest, context: Any
    ) -> AsyncGenerator[pb.WatchOrderResponse, None]:
        last: Order | None = None
        while last is None or not last.ended:
            order = await self._known(request.id)
            if order != last:
                yield pb.WatchOrderResponse(order=message(order))
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
        return pb.ListOrdersResponse(orders=[message(order) for order in found[:size]], next_page_token=more)

    async def _known(self, order: str) -> Order:
        """Raises NotFound."""
        async with self.database.read() as connection:
            return _existing(await store.get(connection, order), order)

    async def _placed_before(self, wish: Wish) -> Order | None:
        async with self.database.read() as connection:
            return await store.placed_with(connection, wish.key)

    async def _place(self, wish: Wish) -> Order:
        """Adds the order and its saga, and starts on it; or returns the order that another call with the same key has
        added meanwhile."""
        now = self.now()
        order = rules.priced(_new_id(now, self.random), wish, await self._prices(wish), now)
        saga = self._saga(order.id, PLACE)
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

    async def _returned_before(self, request: pb.ReturnOrderRequest) -> Order | None:
        async with self.database.read() as connection:
            return await store.returned_with(connection, request.key)

    async def _return(self, request: pb.ReturnOrderRequest) -> Order:
        """Adds the return and its saga, and starts on it; or finds the return that another call with the same key has added
        meanwhile. Raises NotFound, Refused."""
        now = self.now()
        saga = self._saga(_new_id(now, self.random), RETURN)
        async with self.database.write() as connection:
            if same := await store.returned_with(connection, request.key):
                return same
            order = _existing(await store.hold(connection, request.order_id), request.order_id)
            order = returned.asked(order, saga.id, request.key, now)
            if not (order.returned and await store.begin_return(connection, order, order.returned)):
                return _existing(await store.returned_with(connection, request.key), request.order_id)
            await self.runner.begin(connection, saga)
        self.runner.carry_out(saga)
        return order

    def _saga(self, id: str, kind: str) -> Saga:  # noqa: A002
        current = CURRENT.get()
        return Saga(id, kind, current.span.header if current else "")

    async def _settled(self, order: Order, saga: str, read: Read) -> Order:
        """The order once it is decided, or as it stands when there is just time left to answer."""
        current = CURRENT.get()
        clock = asyncio.get_running_loop().time
        limit = current.deadline - ANSWER if current else clock()
        while order.undecided and (remaining := limit - clock()) > 0:
            await self.runner.decided(saga, remaining, LOOK)
            async with self.database.read() as connection:
                order = await read(connection, saga) or order
        return order


def _existing(order: Order | None, id: str) -> Order:  # noqa: A002
    """Raises NotFound."""
    if order is None:
        raise NotFound("ERROR_REASON_ORDER_NOT_FOUND", f"no order has the id {id!r}", order_id=id)
    return order


def _new_id(now: datetime, source: random.Random) -> str:
    """Later ones sort after earlier ones."""
    return f"{int(now.timestamp() * 1000):012x}{source.getrandbits(48):012x}"
