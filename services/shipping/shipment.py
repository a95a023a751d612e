"""What becomes of a shipment: pure rules, free of transport and storage.

(nothing) --create--> CREATED        CREATED  --cancel------> CANCELLED
(nothing) --cancel--> CANCELLED      CREATED  --return------> RETURNED
                                     RETURNED --call it off-> CREATED     every other step changes nothing

A return has a key of its own. One that was called off, perhaps before it was asked for, brings nothing back any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.kit.errors import AlreadyExists, Refused

UNREACHABLE = "nowhere"


class State(StrEnum):
    """Named as in the contract, without the prefix."""

    CREATED = "CREATED"
    CANCELLED = "CANCELLED"
    RETURNED = "RETURNED"


class Return(StrEnum):
    """What became of a return."""

    MADE = "MADE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class Shipment:
    """`parcels` are (product, quantity), each product once, sorted; one that was cancelled first has none, and no recipient."""

    key: str
    state: State
    recipient_id: str
    parcels: tuple[tuple[str, int], ...]
    tracking_code: str
    created: datetime


def created(
    key: str, recipient: str, parcels: Sequence[tuple[str, int]], tracking_code: str, now: datetime
) -> Shipment:
    """A first shipment of a key. Raises Refused."""
    if recipient == UNREACHABLE:
        text = f"nothing can be brought to {recipient}"
        raise Refused("ERROR_REASON_UNDELIVERABLE", text, recipient_id=recipient)
    totals: dict[str, int] = {}
    for product, quantity in parcels:
        totals[product] = totals.get(product, 0) + quantity
    return Shipment(key, State.CREATED, recipient, tuple(sorted(totals.items())), tracking_code, now)


def repeated(existing: Shipment, wanted: Shipment) -> Shipment:
    """What a shipment whose key is known is answered with. Raises Refused, AlreadyExists."""
    if existing.state is State.CANCELLED:
        text = f"{existing.key} was cancelled"
        raise Refused("ERROR_REASON_SHIPMENT_CANCELLED", text, key=existing.key)
    if (existing.recipient_id, existing.parcels) != (wanted.recipient_id, wanted.parcels):
        text = f"{existing.key} is a shipment of other goods or to somebody else"
        raise AlreadyExists("ERROR_REASON_SHIPMENT_DIFFERS", text, key=existing.key)
    return existing


def cancelled(existing: Shipment) -> Shipment:
    """The shipment once it is not sent; what came back already stays where it is."""
    return existing if existing.state is State.RETURNED else replace(existing, state=State.CANCELLED)


def returned(existing: Shipment, known: Return | None) -> Shipment:
    """The shipment once it came back by a return; `known` is what was kept of that before. Raises Refused."""
    if known is Return.CANCELLED:
        raise Refused("ERROR_REASON_RETURN_CANCELLED", "the return was called off", key=existing.key)
    if known is Return.MADE:
        return existing
    if existing.state is not State.CREATED:
        text = f"{existing.key} is {existing.state.lower()}"
        raise Refused(f"ERROR_REASON_SHIPMENT_{existing.state}", text, key=existing.key)
    return replace(existing, state=State.RETURNED)


def return_cancelled(existing: Shipment, known: Return | None) -> Shipment:
    """The shipment once a return is called off."""
    return replace(existing, state=State.CREATED) if known is Return.MADE else existing


def never_sent(key: str, now: datetime) -> Shipment:
    """What a cancellation makes of a key that is not known."""
    return Shipment(key, State.CANCELLED, "", (), "", now)
