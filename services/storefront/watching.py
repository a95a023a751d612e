"""An order's states as they come, from the orders service. Used by rest and graphql."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from services.gen.shop.orders.v1 import orders_pb2
from services.kit.contract import contract_of
from services.storefront.shop import Shop

ENDS = frozenset(
    {
        orders_pb2.ORDER_STATE_CONFIRMED,
        orders_pb2.ORDER_STATE_CANCELLED,
        orders_pb2.ORDER_STATE_RETURNED,
    }
)
#: Seconds that one call lasts at most; then whoever watches asks again.
LONGEST = contract_of(orders_pb2.DESCRIPTOR.services_by_name["OrdersService"]).method("WatchOrder").timeout


async def watched(shop: Shop, order: str) -> AsyncGenerator[orders_pb2.Order, None]:
    """The order as it is now, and after each change until it is decided. Raises CallFailed."""
    request = orders_pb2.WatchOrderRequest(id=order)
    watching = cast(
        AsyncGenerator[orders_pb2.WatchOrderResponse], shop.orders.WatchOrder(request)
    )  # by the kit's channel
    async with aclosing(watching) as responses:
        async for response in responses:
            yield response.order
