"""What each service says at the end: orders, charges, stock, shipments, and the events that the broker has kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import nats
import nats.errors
import nats.js.errors

from services.gen.shop.events.v1.events_pb2 import Envelope
from tests.scenarios.engine import Answer, Engine, Object

PATIENCE = 30.0


@dataclass(frozen=True)
class Books:
    """``stock``: product -> (on hand, reserved). ``events``: an order's id -> the kinds told of it, in order, each event once.
    ``notified``: an order's id -> what its customer was sent, in order, each as often as it was sent; None where nobody sends any."""

    orders: Sequence[Object] = ()
    charges: Sequence[Object] = ()
    shipments: Sequence[Object] = ()
    stock: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    events: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notified: Mapping[str, Sequence[str]] | None = None


def read(shop: Engine) -> Books:
    """By calls through the ingress, all pages. Raises AssertionError when one cannot be had."""
    return Books(
        orders=_all(shop, "orders", "ListOrders", "orders"),
        charges=_all(shop, "payments", "ListCharges", "charges"),
        shipments=_all(shop, "shipping", "ListShipments", "shipments"),
        stock=stock(shop),
        events=_told(shop),
        notified=_notified(shop) if shop.pods("notifications") else None,
    )


def since(before: Books, after: Books) -> Books:
    """What came after: on a cluster others may have ordered before."""
    return Books(
        orders=_without(before.orders, after.orders),
        charges=_without(before.charges, after.charges),
        shipments=_without(before.shipments, after.shipments),
        stock=after.stock,
        events={order: told for order, told in after.events.items() if order not in before.events},
        notified=after.notified,
    )


def _without(before: Sequence[Object], after: Sequence[Object]) -> list[Object]:
    known = {each["key"] for each in before}
    return [each for each in after if each["key"] not in known]


def stock(shop: Engine) -> dict[str, tuple[int, int]]:
    """Product -> (on hand, reserved)."""
    return {
        each["productId"]: (int(each.get("onHand", 0)), int(each.get("reserved", 0)))
        for each in _all(shop, "inventory", "ListStock", "stock")
    }


def undecided(shop: Engine) -> int:
    """How many orders are neither confirmed, nor wholly undone, nor returned."""
    ended = ("ORDER_STATE_CONFIRMED", "ORDER_STATE_CANCELLED", "ORDER_STATE_RETURNED")
    return sum(order["state"] not in ended for order in _all(shop, "orders", "ListOrders", "orders"))


def _all(shop: Engine, service: str, method: str, name: str) -> list[Object]:
    found: list[Object] = []
    token = ""
    while True:
        answer = _asked(shop, service, method, {"pageSize": 100, "pageToken": token})
        found += answer.response.get(name, ())
        token = answer.response.get("nextPageToken", "")
        if not token:
            return found


def _asked(shop: Engine, service: str, method: str, request: Object) -> Answer:
    answers: list[Answer] = []

    def answered() -> bool:
        answers.append(shop.at("ingress").call(service, method, request, timeout=5))
        return answers[-1].ok

    shop.until(answered, f"{service} answers {method}", PATIENCE)
    return answers[-1]


def _notified(shop: Engine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in reversed(_all(shop, "notifications", "ListNotifications", "notifications")):
        found.setdefault(each["orderId"], []).append(each["kind"])
    return found


def _told(shop: Engine) -> dict[str, list[str]]:
    """The broker may have just been killed."""
    found: list[dict[str, list[str]]] = []

    def answered() -> bool:
        with contextlib.suppress(nats.errors.Error, OSError):
            found.append(asyncio.run(_events(shop)))
        return bool(found)

    shop.until(answered, "the broker answers", PATIENCE)
    return found[0]


async def _silent(error: Exception) -> None:
    """What matters is raised."""


async def _events(shop: Engine) -> dict[str, list[str]]:
    """From the broker's own port, as nobody else may."""
    at = await asyncio.to_thread(shop.direct, "broker", 4222)
    client = await nats.connect(f"nats://{at}", error_cb=_silent, max_reconnect_attempts=1)
    try:
        jetstream = client.jetstream()
        try:
            state: Any = (await jetstream.stream_info("EVENTS")).state
        except nats.js.errors.NotFoundError:
            return {}  # nothing was ever told
        seen: set[str] = set()
        told: dict[str, list[str]] = {}
        for number in range(state.first_seq, state.last_seq + 1) if state.messages else ():
            message = await jetstream.get_msg("EVENTS", number)
            envelope = Envelope.FromString(message.data or b"")
            if envelope.event_id not in seen:
                seen.add(envelope.event_id)
                told.setdefault(envelope.aggregate_id, []).append(str(envelope.WhichOneof("payload")))
        return told
    finally:
        await client.close()
