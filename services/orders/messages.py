"""Orders as the contract has them."""

from services.gen.shop.money.v1.money_pb2 import Money
from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.orders.order import Order, Return


def message(order: Order) -> pb.Order:
    """All that a caller may know of it."""
    message = pb.Order(
        id=order.id,
        key=order.key,
        customer_id=order.customer_id,
        total=Money(currency=order.currency, minor=order.total),
        state=pb.OrderState.Value(f"ORDER_STATE_{order.state}"),
        failure=_failure(order),
        order_return=_return(order.returned) if order.returned else None,
    )
    for line in order.lines:
        price = Money(currency=order.currency, minor=line.price)
        message.lines.add(product_id=line.product_id, quantity=line.quantity, unit_price=price)
    message.create_time.FromDatetime(order.created)
    return message


def _failure(of: Order | Return) -> pb.Failure | None:
    return pb.Failure(reason=pb.ErrorReason.Value(of.failure), message=of.message) if of.failure else None


def _return(back: Return) -> pb.OrderReturn:
    message = pb.OrderReturn(key=back.key, failure=_failure(back))
    message.create_time.FromDatetime(back.created)
    return message
