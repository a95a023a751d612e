"""Orders: placed, given back, read, listed and followed, by the orders service."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Response
from grpc import StatusCode

from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.kit.errors import CallFailed
from services.kit.http import streaming
from services.kit.http.streaming import Event
from services.storefront.access.caller import Caller, Scope
from services.storefront.rest.models import NewOrder, Order, Orders, Placing, state
from services.storefront.rest.paging import PAGE, Size, Token
from services.storefront.rest.ruled import ruled
from services.storefront.rest.who import Who
from services.storefront.shop import Shop
from services.storefront.watching import ENDS, LONGEST, watched

Id = Annotated[str, Path(**ruled(pb.GetOrderRequest, "id"))]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="New for each order that is meant; the same key again is the same order, and nothing happens twice",
        **ruled(pb.PlaceOrderRequest, "key") | {"pattern": "^[!-~]+$"},
    ),
]
Return = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="New for each return that is meant; the same key again is the same return",
        **ruled(pb.ReturnOrderRequest, "key") | {"pattern": "^[!-~]+$"},
    ),
]
Whose = Annotated[
    str, Query(description="Only this customer's", **ruled(pb.ListOrdersRequest, "customer_id"))
]
Last = Annotated[str, Header(alias="Last-Event-ID", description="Of the last event; a browser sends it")]
STILL = {
    pb.ErrorReason.Name(pb.ERROR_REASON_STILL_PLACING): "PLACING",
    pb.ErrorReason.Name(pb.ERROR_REASON_STILL_RETURNING): "RETURNING",
}
_ENDS = frozenset(pb.OrderState.Name(each).removeprefix("ORDER_STATE_") for each in ENDS)
_ANSWERS: dict[int | str, dict[str, Any]] = {
    201: {"description": "The order, confirmed", "headers": {"Location": {"schema": {"type": "string"}}}},
    202: {"model": Placing, "description": "Not decided in time; its events tell the rest"},
}
_RETURNED: dict[int | str, dict[str, Any]] = {
    202: {"model": Placing, "description": "Not decided in time; its events tell the rest"},
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "An event `order` with the order as it is now, and again each time its state changes",
    },
    204: {"description": "The last event told the end: do not ask again"},
}


def routes(shop: Shop, leaving: asyncio.Event, who: Who) -> APIRouter:
    made = APIRouter(prefix="/v1/orders")
    reads, writes = who.may(Scope.ORDERS_READ), who.may(Scope.ORDERS_WRITE)

    @made.post("", status_code=201, response_model=Order, responses=_ANSWERS, summary="Place an order")
    async def place_order(wish: NewOrder, key: Key, response: Response, caller: Caller = writes) -> object:
        customer = caller.orders_for(wish.customer_id)
        request = pb.PlaceOrderRequest(key=key, customer_id=customer, payment_method=wish.payment_method)
        for item in wish.items:
            request.items.add(product_id=item.product_id, quantity=item.quantity)
        try:
            placed = await shop.orders.PlaceOrder(request)
        except CallFailed as error:
            return _later(error)
        response.headers["location"] = f"/v1/orders/{placed.order.id}"
        return Order.of(placed.order)

    @made.get("", summary="Orders, newest first, a page at a time")
    async def list_orders(
        customer_id: Whose = "", page_size: Size = PAGE, page_token: Token = "", caller: Caller = reads
    ) -> Orders:
        whose = caller.lists_of(customer_id)
        request = pb.ListOrdersRequest(customer_id=whose, page_size=page_size, page_token=page_token)
        found = await shop.orders.ListOrders(request)
        return Orders(orders=list(map(Order.of, found.orders)), next_page_token=found.next_page_token)

    @made.get("/{id}", summary="One order")
    async def get_order(id: Id, caller: Caller = reads) -> Order:  # noqa: A002
        found = (await shop.orders.GetOrder(pb.GetOrderRequest(id=id))).order
        caller.sees(found.customer_id, id)
        return Order.of(found)

    @made.post(
        "/{id}/return", response_model=Order, responses=_RETURNED, summary="Give an order back, all of it"
    )
    async def return_order(id: Id, key: Return, caller: Caller = writes) -> object:  # noqa: A002
        found = (await shop.orders.GetOrder(pb.GetOrderRequest(id=id))).order
        caller.sees(found.customer_id, id)
        try:
            returned = await shop.orders.ReturnOrder(pb.ReturnOrderRequest(key=key, order_id=id))
        except CallFailed as error:
            return _later(error)
        return Order.of(returned.order)

    @made.get(
        "/{id}/events",
        responses=_EVENTS,
        response_class=Response,
        summary="Follow an order until it is decided",
    )
    async def follow_order(id: Id, last: Last = "", caller: Caller = reads) -> Response:  # noqa: A002
        if last in _ENDS:
            return Response(status_code=204)
        streaming.lasting(LONGEST)
        return streaming.response(await streaming.begun(_events(shop, id, caller)), leaving)

    return made


def _later(error: CallFailed) -> Response:
    """202 for an order that is not decided yet. Raises the error when it is another."""
    order = error.metadata.get("order_id", "")
    state = STILL.get(error.reason)
    if error.code is not StatusCode.DEADLINE_EXCEEDED or not state or not order:
        raise error
    body = Placing(id=order, state=state).model_dump_json()
    where = {"location": f"/v1/orders/{order}"}
    return Response(body, 202, where, "application/json")


async def _events(shop: Shop, order: str, caller: Caller) -> AsyncGenerator[Event, None]:
    """Ends early when the orders service leaves: the browser asks again, and another process goes on."""
    told = False
    try:
        async with aclosing(watched(shop, order)) as orders:
            async for each in orders:
                caller.sees(each.customer_id, order)
                yield Event("order", state(each), Order.of(each).model_dump(mode="json"))
                told = True
    except CallFailed:
        if not told:
            raise
