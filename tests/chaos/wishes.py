"""What customers order, decided by a seed: most of it as usual, some of it to be refused, some of it slowed by headers."""

from __future__ import annotations

import random
from dataclasses import dataclass

PRODUCTS = ("mug", "teapot", "notebook-a5")
#: More than there is.
TOO_MANY = 1000
#: The share of orders that customers give back.
RETURNED = 0.2
_FAULTS = (
    "x-fault-payments: delay=0.4s;method=Charge",
    "x-fault-payments: hang;when=after;method=Charge",
    "x-fault-payments: code=UNAVAILABLE;method=Charge",
    "x-fault-inventory: fail=1;method=Reserve",
    "x-fault-inventory: delay=0.3s;method=Confirm",
    "x-fault-shipping: hang;method=CreateShipment",
    "x-fault-shipping: hang;when=after;method=ReturnShipment",
    "x-fault-payments: hang;when=after;method=Refund",
    "x-fault-shipping: code=UNAVAILABLE;when=after;method=CreateShipment",
)


@dataclass(frozen=True)
class Wish:
    """One order to place. ``deadline`` in seconds; ``fault``: a header ("name: value"), or empty. ``returns``: the customer gives it back
    once it is confirmed."""

    key: str
    customer: str
    product: str
    quantity: int
    method: str
    deadline: float
    fault: str
    returns: bool = False


def wishes(count: int, seed: int) -> list[Wish]:
    """The same for the same seed."""
    source = random.Random(seed)
    return [_wish(source, seed, number) for number in range(count)]


def _wish(source: random.Random, seed: int, number: int) -> Wish:
    dice = source.random()
    return Wish(
        key=f"chaos-{seed}-{number}",
        customer="nowhere" if dice < 0.05 else f"customer-{source.randrange(50)}",
        product=source.choice(PRODUCTS),
        quantity=TOO_MANY if 0.05 <= dice < 0.08 else source.randint(1, 3),
        method="tok_declined" if 0.08 <= dice < 0.15 else "tok_visa",
        deadline=source.choice((1.0, 2.0, 5.0)),
        fault=source.choice(_FAULTS) if source.random() < 0.1 else "",
        returns=source.random() < RETURNED,
    )
