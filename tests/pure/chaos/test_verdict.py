"""The verdict finds each promise that is broken, and nothing in books that are right."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.books import Books
from tests.chaos.customers import Told
from tests.chaos.verdict import violations
from tests.chaos.wishes import Wish, wishes

STOCK = {"mug": (100, 0)}
WISH = Wish("k", "ada", "mug", 2, "tok_visa", 5.0, "")
TOLD = (Told(WISH, "OK", -4.0),)
ORDER: dict[str, Any] = {
    "id": "o",
    "key": "k",
    "state": "ORDER_STATE_CONFIRMED",
    "total": {"minor": "2400"},
    "lines": [{"productId": "mug", "quantity": 2}],
}
CHARGE: dict[str, Any] = {
    "key": "o:charge",
    "state": "CHARGE_STATE_CHARGED",
    "amount": {"minor": "2400"},
}
RIGHT = Books(
    orders=(ORDER,),
    charges=(CHARGE,),
    shipments=({"key": "o:ship", "state": "SHIPMENT_STATE_CREATED"},),
    stock={"mug": (98, 0)},
    events={"o": ("order_placed", "order_confirmed")},
)


def test_right_books_break_nothing() -> None:
    assert violations(STOCK, TOLD, RIGHT) == []


RETURNED = Books(
    orders=({**ORDER, "state": "ORDER_STATE_RETURNED"},),
    charges=({**CHARGE, "state": "CHARGE_STATE_REFUNDED"},),
    shipments=({"key": "o:ship", "state": "SHIPMENT_STATE_RETURNED"},),
    stock=STOCK,
    events={"o": ("order_placed", "order_confirmed", "order_returned")},
)


def test_a_returned_order_breaks_nothing() -> None:
    told = (replace(TOLD[0], returned="OK"),)
    assert violations(STOCK, told, RETURNED) == []


@pytest.mark.parametrize(
    ("books", "said"),
    [
        (replace(RETURNED, charges=(CHARGE,)), "o:charge: 2400 was taken, 0 is due"),
        (replace(RETURNED, stock={"mug": (98, 0)}), "is (98, 0), not (100, 0)"),
        (replace(RETURNED, shipments=()), "o:ship: taken back, and not returned, or the other way"),
        (replace(RETURNED, events={"o": ("order_placed", "order_confirmed")}), "was told, not"),
        (RIGHT, "k was told to be returned, and is ORDER_STATE_CONFIRMED"),
    ],
)
def test_wrong_books_of_a_return_are_found_out(books: Books, said: str) -> None:
    told = (replace(TOLD[0], returned="OK"),)
    assert any(said in line for line in violations(STOCK, told, books))


def test_a_return_that_nobody_asked_for_is_found_out() -> None:
    assert violations(STOCK, TOLD, RETURNED) == ["k is returned, and nobody asked for it"]


@pytest.mark.parametrize(
    ("books", "said"),
    [
        (replace(RIGHT, charges=()), "o:charge: 0 was taken, 2400 is due"),
        (
            replace(RIGHT, charges=({**CHARGE, "amount": {"minor": "1"}},)),
            "o:charge: 1 was taken, 2400 is due",
        ),
        (replace(RIGHT, shipments=()), "o:ship: ordered, and not sent"),
        (replace(RIGHT, stock={"mug": (97, 0)}), "mug: (on hand, reserved) is (97, 0), not (98, 0)"),
        (replace(RIGHT, stock={"mug": (98, 2)}), "mug: (on hand, reserved) is (98, 2), not (98, 0)"),
        (replace(RIGHT, events={"o": ("order_placed",)}), "was told, not"),
        (
            replace(RIGHT, orders=({**ORDER, "state": "ORDER_STATE_PLACING"},)),
            "order o is ORDER_STATE_PLACING",
        ),
        (Books(stock=STOCK), "k was told to be confirmed, and is None"),
    ],
)
def test_wrong_books_are_found_out(books: Books, said: str) -> None:
    assert any(said in line for line in violations(STOCK, TOLD, books))


SENT = {"o": ("NOTIFICATION_KIND_ORDER_PLACED", "NOTIFICATION_KIND_ORDER_CONFIRMED")}


def test_an_event_has_its_effect_once() -> None:
    assert violations(STOCK, TOLD, replace(RIGHT, notified=SENT)) == []
    (twice,) = violations(STOCK, TOLD, replace(RIGHT, notified={"o": (*SENT["o"], SENT["o"][1])}))
    assert "was sent, not" in twice
    (never,) = violations(STOCK, TOLD, replace(RIGHT, notified={}))
    assert "[] was sent, not" in never


def test_an_answer_after_its_deadline_is_found_out() -> None:
    told = (Told(WISH, "OK", 0.2),)
    assert violations(STOCK, told, RIGHT) == ["k was answered 200 ms after its deadline of 5 s"]


def test_a_seed_decides_what_is_ordered() -> None:
    assert wishes(50, 1) == wishes(50, 1)
    assert wishes(50, 1) != wishes(50, 2)
    assert len({wish.key for wish in wishes(50, 1)}) == 50
