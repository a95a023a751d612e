"""What orders tells the shop of an order, each time its state changes.

Input: an order as it is kept, and the transaction that keeps it. Output: its event, in the outbox.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.events.v1 import events_pb2 as pb
from services.gen.shop.money.v1.money_pb2 import Money
from services.kit.events.envelope import Event
from services.kit.events.outbox import Outbox
from services.orders.order import Order, State

KIND = "order"
REASONS: Mapping[str, pb.CancelReason.ValueType] = {
    "ERROR_REASON_OUT_OF_STOCK": pb.CANCEL_REASON_OUT_OF_STOCK,
    "ERROR_REASON_PAYMENT_DECLINED": pb.CANCEL_REASON_PAYMENT_DECLINED,
    "ERROR_REASON_STEP_REFUSED": pb.CANCEL_REASON_REFUSED,
    "ERROR_REASON_STEP_UNAVAILABLE": pb.CANCEL_REASON_UNAVAILABLE,
    "ERROR_REASON_STEP_TIMED_OUT": pb.CANCEL_REASON_UNAVAILABLE,
}


async def tell(outbox: Outbox, connection: AsyncConnection, order: Order) -> None:
    """Tells the state that the order has come to."""
    if event := of(order):
        await outbox.add(connection, event)


def of(order: Order) -> Event | None:
    """What its state is told as. None for CANCELLING and RETURNING: what comes of it is told once everything is done."""
    if order.state is State.PLACING:
        return Event(KIND, order.id, pb.OrderPlaced(order=_details(order)))
    if order.state is State.CONFIRMED:
        return Event(KIND, order.id, pb.OrderConfirmed(order=_details(order)))
    if order.state is State.CANCELLED:
        reason = REASONS.get(order.failure, pb.CANCEL_REASON_UNSPECIFIED)
        return Event(KIND, order.id, pb.OrderCancelled(order=_details(order), reason=reason))
    if order.state is State.RETURNED:
        return Event(KIND, order.id, pb.OrderReturned(order=_details(order)))
    return None


def _details(order: Order) -> pb.OrderDetails:
    details = pb.OrderDetails(
        order_id=order.id,
        customer_id=order.customer_id,
        total=Money(currency=order.currency, minor=order.total),
    )
    for line in order.lines:
        price = Money(currency=order.currency, minor=line.price)
        details.products.add(product_id=line.product_id, quantity=line.quantity, unit_price=price)
    return details
