"""What must hold when everything has come to rest: pure, so that it can be tested with books that are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.chaos.books import Books
from tests.chaos.customers import Told
from tests.scenarios.engine import Object

LATE = 0.1
CONFIRMED, CANCELLED, RETURNED = "ORDER_STATE_CONFIRMED", "ORDER_STATE_CANCELLED", "ORDER_STATE_RETURNED"
TOLD = {
    CONFIRMED: ["order_placed", "order_confirmed"],
    CANCELLED: ["order_placed", "order_cancelled"],
    RETURNED: ["order_placed", "order_confirmed", "order_returned"],
}


def violations(before: Mapping[str, tuple[int, int]], told: Sequence[Told], after: Books) -> list[str]:
    """Every promise that was broken, in words; none is what the shop promises."""
    orders = {order["key"]: order for order in after.orders}
    return [
        *_ended(after.orders),
        *_true(told, orders),
        *_paid(after),
        *_shipped(after),
        *_conserved(before, after),
        *_announced(after),
        *_notified(after),
        *_in_time(told),
    ]


def _ended(orders: Sequence[Object]) -> Iterator[str]:
    for order in orders:
        if order["state"] not in TOLD:
            yield f"order {order['id']} is {order['state']}"


def _true(told: Sequence[Told], orders: Mapping[str, Object]) -> Iterator[str]:
    """Nobody was told what is not so."""
    for each in told:
        order = orders.get(each.wish.key)
        if each.code == "OK" and (order is None or order["state"] not in (CONFIRMED, RETURNED)):
            yield f"{each.wish.key} was told to be confirmed, and is {order and order['state']}"
        if each.code == "FAILED_PRECONDITION" and order is not None and order["state"] != CANCELLED:
            yield f"{each.wish.key} was told to be refused, and is {order['state']}"
        if each.returned == "OK" and (order is None or order["state"] != RETURNED):
            yield f"{each.wish.key} was told to be returned, and is {order and order['state']}"
        if not each.returned and order is not None and order["state"] == RETURNED:
            yield f"{each.wish.key} is returned, and nobody asked for it"


def _paid(books: Books) -> Iterator[str]:
    """Charges less refunds are the orders that are confirmed and not returned, to the cent."""
    taken = {
        c["key"]: int(c["amount"]["minor"]) for c in books.charges if c["state"] == "CHARGE_STATE_CHARGED"
    }
    due = {f"{o['id']}:charge": int(o["total"]["minor"]) for o in books.orders if o["state"] == CONFIRMED}
    for key in sorted(taken.keys() | due.keys()):
        if taken.get(key) != due.get(key):
            yield f"{key}: {taken.get(key, 0)} was taken, {due.get(key, 0)} is due"


def _shipped(books: Books) -> Iterator[str]:
    sent = {s["key"] for s in books.shipments if s["state"] == "SHIPMENT_STATE_CREATED"}
    due = {f"{o['id']}:ship" for o in books.orders if o["state"] == CONFIRMED}
    back = {s["key"] for s in books.shipments if s["state"] == "SHIPMENT_STATE_RETURNED"}
    given = {f"{o['id']}:ship" for o in books.orders if o["state"] == RETURNED}
    yield from (f"{key}: taken back, and not returned, or the other way" for key in sorted(back ^ given))
    yield from (f"{key}: sent, and not ordered" for key in sorted(sent - due))
    yield from (f"{key}: ordered, and not sent" for key in sorted(due - sent))


def _conserved(before: Mapping[str, tuple[int, int]], books: Books) -> Iterator[str]:
    sold: Counter[str] = Counter()
    for order in books.orders:
        if order["state"] == CONFIRMED:
            for line in order["lines"]:
                sold[line["productId"]] += int(line["quantity"])
    for product, (on_hand, reserved) in before.items():
        wanted = (on_hand - sold[product], reserved)
        if books.stock.get(product) != wanted:
            yield f"{product}: (on hand, reserved) is {books.stock.get(product)}, not {wanted}"


def _announced(books: Books) -> Iterator[str]:
    """Each order has its events, in order."""
    for order in books.orders:
        wanted = TOLD.get(order["state"], [])
        if list(books.events.get(order["id"], ())) != wanted:
            yield f"order {order['id']}: {list(books.events.get(order['id'], ()))} was told, not {wanted}"


def _notified(books: Books) -> Iterator[str]:
    """Each event has its effect once: its customer is sent one notification, in order."""
    if books.notified is None:
        return
    for order in books.orders:
        wanted = [f"NOTIFICATION_KIND_{told.upper()}" for told in TOLD.get(order["state"], [])]
        sent = list(books.notified.get(order["id"], ()))
        if sent != wanted:
            yield f"order {order['id']}: {sent} was sent, not {wanted}"


def _in_time(told: Sequence[Told]) -> Iterator[str]:
    for each in told:
        if each.late > LATE:
            yield f"{each.wish.key} was answered {each.late * 1000:.0f} ms after its deadline of {each.wish.deadline:g} s"
