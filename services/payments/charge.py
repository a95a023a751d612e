"""What becomes of a charge: pure rules, free of transport and storage.

(nothing) --charge--> CHARGED | DECLINED        CHARGED --refund--> REFUNDED
(nothing) --refund--> VOIDED                    every other step changes nothing
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.kit.errors import AlreadyExists, Refused

DECLINED_METHOD = "tok_declined"


class State(StrEnum):
    """Named as in the contract, without the prefix."""

    CHARGED = "CHARGED"
    DECLINED = "DECLINED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"


@dataclass(frozen=True)
class Charge:
    """`amount` in the currency's smallest unit; one that was voided first has none, and no method."""

    key: str
    state: State
    currency: str
    amount: int
    payment_method: str
    created: datetime

    def asks_the_same(self, other: "Charge") -> bool:
        mine = (self.currency, self.amount, self.payment_method)
        return mine == (other.currency, other.amount, other.payment_method)


def charged(key: str, currency: str, amount: int, payment_method: str, now: datetime) -> Charge:
    """A first charge: the bank's answer, in a shop without a bank."""
    state = State.DECLINED if payment_method == DECLINED_METHOD else State.CHARGED
    return Charge(key, state, currency, amount, payment_method, now)


def repeated(existing: Charge, wanted: Charge) -> Charge:
    """What a charge of a key that is known is answered with. Raises Refused, AlreadyExists."""
    if existing.state is State.VOIDED:
        raise Refused(
            "ERROR_REASON_CHARGE_VOIDED",
            f"{existing.key} was refunded before it was charged",
            key=existing.key,
        )
    if not existing.asks_the_same(wanted):
        raise AlreadyExists(
            "ERROR_REASON_CHARGE_DIFFERS",
            f"{existing.key} is a charge of another amount or method",
            key=existing.key,
        )
    return existing


def refunded(existing: Charge) -> Charge:
    """The charge once it is given back; what was never taken stays as it is."""
    return replace(existing, state=State.REFUNDED) if existing.state is State.CHARGED else existing


def voided(key: str, now: datetime) -> Charge:
    """What a refund makes of a key that is not known."""
    return Charge(key, State.VOIDED, "", 0, "", now)
