"""What becomes of a reservation, and of the stock with it: a table, free of transport, storage and clocks.

                     confirm               release               expire
    RESERVED     CONFIRMED, goods out  RELEASED, unheld     EXPIRED, unheld
    CONFIRMED    as it is              RELEASED, goods in   as it is
    RELEASED     refused               as it is             as it is
    EXPIRED      refused               as it is             as it is

A release of an id that is not known makes a reservation that is RELEASED and holds nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.kit.errors import AlreadyExists, Refused

HOLD = timedelta(minutes=5)
LONGEST_HOLD = timedelta(hours=1)


class State(StrEnum):
    """Named as in the contract, without the prefix."""

    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


class Action(StrEnum):
    """What may happen to a reservation."""

    CONFIRM = "confirm"
    RELEASE = "release"
    EXPIRE = "expire"


@dataclass(frozen=True)
class Line:
    """So many of a product."""

    product_id: str
    quantity: int


@dataclass(frozen=True)
class Reservation:
    """`lines` sorted by product, each product once."""

    id: str
    state: State
    lines: tuple[Line, ...]
    expires: datetime


@dataclass(frozen=True)
class Effect:
    """The state that follows, and by how many times each line's quantity the stock changes."""

    state: State
    on_hand: int = 0
    reserved: int = 0


EFFECTS = {
    (State.RESERVED, Action.CONFIRM): Effect(State.CONFIRMED, on_hand=-1, reserved=-1),
    (State.RESERVED, Action.RELEASE): Effect(State.RELEASED, reserved=-1),
    (State.RESERVED, Action.EXPIRE): Effect(State.EXPIRED, reserved=-1),
    (State.CONFIRMED, Action.RELEASE): Effect(State.RELEASED, on_hand=+1),
}
REFUSALS = {
    (State.RELEASED, Action.CONFIRM): "ERROR_REASON_RESERVATION_RELEASED",
    (State.EXPIRED, Action.CONFIRM): "ERROR_REASON_RESERVATION_EXPIRED",
}


def step(reservation: Reservation, action: Action, now: datetime) -> tuple[Reservation, Effect]:
    """The reservation after an action, and what the action does to the stock. Raises Refused."""
    overdue = reservation.state is State.RESERVED and reservation.expires <= now
    state = State.EXPIRED if overdue and action is Action.CONFIRM else reservation.state
    if reason := REFUSALS.get((state, action)):
        raise Refused(
            reason, f"reservation {reservation.id} is {state.lower()}", reservation_id=reservation.id
        )
    effect = EFFECTS.get((state, action), Effect(state))
    return replace(reservation, state=effect.state), effect


def reserved(id: str, lines: tuple[Line, ...], hold: timedelta, now: datetime) -> Reservation:  # noqa: A002
    """A new reservation; a product named twice is one line of the sum."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.product_id] = totals.get(line.product_id, 0) + line.quantity
    merged = tuple(Line(product, totals[product]) for product in sorted(totals))
    return Reservation(id, State.RESERVED, merged, now + min(hold or HOLD, LONGEST_HOLD))


def repeated(existing: Reservation, wanted: Reservation) -> Reservation:
    """What a reservation whose id is known is answered with. Raises Refused, AlreadyExists."""
    if not existing.lines:
        raise Refused(
            "ERROR_REASON_RESERVATION_RELEASED",
            f"reservation {existing.id} was released before it was made",
            reservation_id=existing.id,
        )
    if existing.lines != wanted.lines:
        raise AlreadyExists(
            "ERROR_REASON_RESERVATION_DIFFERS",
            f"reservation {existing.id} is of other products or quantities",
            reservation_id=existing.id,
        )
    return existing
