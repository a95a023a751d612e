"""What becomes of an order that is given back: pure rules, free of transport and storage.

CONFIRMED --asked--> RETURNING --done----> RETURNED
                               --undone--> CONFIRMED, with the reason in its return
"""

from dataclasses import replace
from datetime import datetime

from services.kit.errors import AlreadyExists, CallFailed, Refused, ServiceError, TimedOut
from services.kit.saga.machine import Phase
from services.orders.order import Order, Return, State, failure_of, reason

PHASES = {
    Phase.FORWARD: State.RETURNING,
    Phase.UNDO: State.RETURNING,
    Phase.DONE: State.RETURNED,
    Phase.UNDONE: State.CONFIRMED,
}


def asked(order: Order, id: str, key: str, now: datetime) -> Order:  # noqa: A002
    """The order once its return is begun. Raises Refused."""
    if order.state is not State.CONFIRMED:
        text = f"order {order.id} is {order.state.lower()}: only one that is confirmed can be returned"
        raise Refused("ERROR_REASON_ORDER_NOT_RETURNABLE", text, order_id=order.id, state=order.state)
    return replace(order, state=State.RETURNING, returned=Return(id, key, order.id, now))


def check_same(order: Order, asked_for: str) -> None:
    """Raises AlreadyExists when the return of this key is not of the order that is asked for now."""
    if order.id != asked_for:
        text = "the key belongs to the return of another order"
        raise AlreadyExists("ERROR_REASON_RETURN_DIFFERS", text, order_id=order.id)


def followed(order: Order, phase: Phase, step: str, failure: CallFailed | None) -> Order:
    """The order as its return's saga stands. The first failure that calls it off is the reason."""
    back = order.returned
    if back and failure and not back.failure and phase in (Phase.UNDO, Phase.UNDONE):
        text = f"{step}: {failure.message}"
        back = replace(back, failure=reason(failure), message=text, step=step)
    return replace(order, state=PHASES[phase], returned=back)


def answer(order: Order) -> ServiceError | None:
    """What ReturnOrder is answered with as the order stands; None when it is returned."""
    if order.returned and order.returned.failure:
        return failure_of(order.id, order.returned)
    if order.state is State.RETURNED:
        return None
    text = f"the return of order {order.id} is not decided yet"
    return TimedOut("ERROR_REASON_STILL_RETURNING", text, order_id=order.id)
