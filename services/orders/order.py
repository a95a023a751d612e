"""An order as the shop thinks of it, free of transport and storage."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from grpc import StatusCode

from services.kit.errors import AlreadyExists, CallFailed, Refused, ServiceError, TimedOut, Unavailable
from services.kit.saga.machine import Phase


class State(StrEnum):
    """Named as in the contract, without the prefix."""

    PLACING = "PLACING"
    CONFIRMED = "CONFIRMED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    RETURNING = "RETURNING"
    RETURNED = "RETURNED"


PHASES = {
    Phase.FORWARD: State.PLACING,
    Phase.DONE: State.CONFIRMED,
    Phase.UNDO: State.CANCELLING,
    Phase.UNDONE: State.CANCELLED,
}


@dataclass(frozen=True)
class Line:
    """`price` of one, in the smallest unit of the order's currency."""

    product_id: str
    quantity: int
    price: int


@dataclass(frozen=True)
class Return:
    """That an order is given back. `failure` and the rest as an order's: why it was called off."""

    id: str
    key: str
    order_id: str
    created: datetime
    failure: str = ""
    message: str = ""
    step: str = ""


@dataclass(frozen=True)
class Order:
    """`failure` is the name of an ErrorReason, empty while all is well; `step` the one that failed. `returned`: its last return, or the
    one that was asked for."""

    id: str
    key: str
    customer_id: str
    lines: tuple[Line, ...]
    currency: str
    payment_method: str
    created: datetime
    state: State = State.PLACING
    failure: str = ""
    message: str = ""
    step: str = ""
    returned: Return | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing is under way."""
        return self.state in (State.CONFIRMED, State.CANCELLED, State.RETURNED)

    @property
    def undecided(self) -> bool:
        """Whether nobody knows yet what PlaceOrder or ReturnOrder is to be answered."""
        if self.state is State.RETURNING:
            return not (self.returned and self.returned.failure)
        return self.state is State.PLACING

    @property
    def total(self) -> int:
        return sum(line.quantity * line.price for line in self.lines)


@dataclass(frozen=True)
class Wish:
    """What a customer asks for: products and how many of each, each product once, sorted."""

    key: str
    customer_id: str
    items: tuple[tuple[str, int], ...]
    payment_method: str


def wish(key: str, customer: str, items: Sequence[tuple[str, int]], payment_method: str) -> Wish:
    totals: dict[str, int] = {}
    for product, quantity in items:
        totals[product] = totals.get(product, 0) + quantity
    return Wish(key, customer, tuple(sorted(totals.items())), payment_method)


def priced(id: str, wish: Wish, prices: Mapping[str, tuple[str, int]], now: datetime) -> Order:  # noqa: A002
    """The order of a wish at the prices (currency, smallest unit) of its products. Raises Refused."""
    for product, _ in wish.items:
        if product not in prices:
            raise Refused(
                "ERROR_REASON_PRODUCT_NOT_FOUND",
                f"the catalog has no product {product!r}",
                product_id=product,
            )
    currencies = sorted({prices[product][0] for product, _ in wish.items})
    if len(currencies) > 1:
        several = ", ".join(currencies)
        raise Refused(
            "ERROR_REASON_MIXED_CURRENCIES", f"one order cannot be in {several}", currencies=several
        )
    lines = tuple(Line(product, quantity, prices[product][1]) for product, quantity in wish.items)
    return Order(id, wish.key, wish.customer_id, lines, currencies[0], wish.payment_method, now)


def check_same(order: Order, wish: Wish) -> None:
    """Raises AlreadyExists when the order of this key is not what is wished for now."""
    items = tuple((line.product_id, line.quantity) for line in order.lines)
    if (order.customer_id, items, order.payment_method) != (
        wish.customer_id,
        wish.items,
        wish.payment_method,
    ):
        raise AlreadyExists(
            "ERROR_REASON_ORDER_DIFFERS", f"the key {wish.key!r} belongs to another order", order_id=order.id
        )


def failed(order: Order, step: str, failure: CallFailed) -> Order:
    """The order with the reason why it is being cancelled."""
    return replace(order, failure=reason(failure), message=f"{step}: {failure.message}", step=step)


def reason(failure: CallFailed) -> str:
    """The name of the contract's ErrorReason for a step that failed."""
    if not failure.refused:
        timed_out = failure.code is StatusCode.DEADLINE_EXCEEDED
        return "ERROR_REASON_STEP_TIMED_OUT" if timed_out else "ERROR_REASON_STEP_UNAVAILABLE"
    known = ("ERROR_REASON_OUT_OF_STOCK", "ERROR_REASON_PAYMENT_DECLINED")
    return failure.reason if failure.reason in known else "ERROR_REASON_STEP_REFUSED"


def answer(order: Order) -> ServiceError | None:
    """What PlaceOrder is answered with as the order stands; None when it is, or was, confirmed."""
    if order.state is State.PLACING:
        return TimedOut(
            "ERROR_REASON_STILL_PLACING", f"order {order.id} is not decided yet", order_id=order.id
        )
    return failure_of(order.id, order) if order.failure else None


def failure_of(order: str, of: Order | Return) -> ServiceError:
    """What the failure of an order, or of its return, is answered with."""
    kinds: dict[str, type[ServiceError]] = {
        "ERROR_REASON_STEP_TIMED_OUT": TimedOut,
        "ERROR_REASON_STEP_UNAVAILABLE": Unavailable,
    }
    return kinds.get(of.failure, Refused)(of.failure, of.message, order_id=order, step=of.step)


def to_json(lines: tuple[Line, ...]) -> str:
    return json.dumps([[line.product_id, line.quantity, line.price] for line in lines])


def lines_from_json(text: str) -> tuple[Line, ...]:
    return tuple(Line(*line) for line in json.loads(text))
