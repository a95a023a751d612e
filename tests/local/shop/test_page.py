"""The shop's page in a real browser, through the ingress, as a customer uses it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser import Page, chromium, findings_of_axe
from tests.local.project import Project, until
from tests.local.shop.test_tokens import status, token

PATIENCE = 60_000.0
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Any, folder: Project) -> Iterator[Open]:
    """Opens the page. Nothing may go wrong in the browser, and it may ask nobody else."""
    address = folder.mesh("address", "storefront").text.strip()
    wrong: list[str] = []
    contexts: list[Any] = []

    def open_(view: str = "", **options: Any) -> Page:
        context = browser.new_context(**(DESKTOP | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _serious(said) else None)
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(f"http://{address}/") else wrong.append(asked.url),
        )
        page.goto(f"http://{address}/{view}")
        return page

    yield open_
    for each in contexts:
        each.close()
    assert not wrong


def _serious(said: Any) -> bool:
    """A browser itself reports answers of errors, which the page shows as it should."""
    return said.type in ("error", "warning") and "Failed to load resource" not in said.text


def ordered(page: Page, card: str = "tok_visa") -> None:
    page.get_by_role("button", name="Add to basket: Mug").click()
    page.get_by_role("link", name="Basket").click()
    page.get_by_label("Your name").fill(uuid.uuid4().hex)
    page.get_by_label("Card").select_option(card)
    page.get_by_role("button", name="Place the order").click()


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_customer_browses_orders_and_follows_the_order(visit: Open, screen: dict[str, Any]) -> None:
    page = visit(**screen)
    ordered(page)
    page.get_by_text("Confirmed", exact=True).wait_for()
    assert re.fullmatch(r".*/#/orders/\w+", page.url)
    assert page.locator("#count").inner_text() == "0"
    assert page.get_by_role("status").inner_text() == "Order confirmed"
    page.get_by_role("link", name="Orders", exact=True).click()
    page.get_by_role("row").filter(has_text="Confirmed").wait_for()  # exactly one


def test_an_order_that_is_refused_says_why_and_keeps_the_basket(visit: Open) -> None:
    page = visit()
    ordered(page, "tok_declined")
    page.get_by_text("Nothing is charged").wait_for()
    page.get_by_text("Cancelled", exact=True).wait_for()
    assert page.locator("#count").inner_text() == "1"


def test_a_slow_order_is_followed_as_it_happens(visit: Open) -> None:
    """It takes longer than the page's own request, which is aborted as by a reload, and is placed once all the same."""
    page = visit()
    page.route("**/v1/orders", lambda route: route.continue_(headers={**route.request.headers, **SLOW}))
    ordered(page)
    page.get_by_text("Placing the order").wait_for()
    page.get_by_text("Confirmed", exact=True).wait_for()


SLOW = {"x-fault-payments": "delay=1s;method=Charge"}


def test_where_guests_may_not_order_a_token_says_who_the_customer_is(visit: Open, folder: Project) -> None:
    """A shop that is not in development answers so; this one would not."""
    page = visit()
    page.route("**/v1/orders", lambda route: route.fulfill(status=401, json={"detail": "needs a token"}))
    ordered(page)
    page.get_by_role("alert").filter(has_text="needs a token").wait_for()
    page.unroute("**/v1/orders")
    subject = uuid.uuid4().hex
    text = token(folder, subject)
    until(lambda: accepted(folder, text), "the mesh knows the key")
    page.get_by_label("Your token").fill(text)
    page.get_by_role("button", name="Place the order").click()
    page.get_by_text("Confirmed", exact=True).wait_for()
    page.get_by_role("link", name="Orders", exact=True).click()
    page.get_by_text("Of you, newest first").wait_for()
    page.get_by_role("row").filter(has_text="Confirmed").wait_for()  # exactly one


def accepted(folder: Project, text: str) -> bool:
    return status(folder, text) == 403  # it is known whose it is, and that is not staff


def test_what_is_missing_is_said_and_the_rest_is_there(visit: Open) -> None:
    page = visit()
    page.route("**/v1/stock*", lambda route: route.fulfill(status=503, json={"detail": "not now"}))
    page.reload()
    page.get_by_text("Stock is not known now").first.wait_for()
    page.route("**/v1/products*", lambda route: route.fulfill(status=503, json={"detail": "Come back soon"}))
    page.reload()
    page.get_by_role("alert").filter(has_text="Come back soon").wait_for()
    page.unroute("**/v1/products*")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Mug").wait_for()


def test_a_form_without_a_name_says_so_and_goes_to_it(visit: Open) -> None:
    page = visit()
    page.get_by_role("button", name="Add to basket: Mug").click()
    page.get_by_role("link", name="Basket").click()
    page.get_by_role("button", name="Place the order").click()
    page.get_by_role("alert").filter(has_text="whose order").wait_for()
    assert page.evaluate("document.activeElement.name") == "customer"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_is_accessible_and_fits(visit: Open, scheme: str, screen: dict[str, Any]) -> None:
    page = visit(**screen, color_scheme=scheme)
    page.get_by_role("button", name="Add to basket: Mug").click()
    for view, ready in (
        ("#/", "Everything we sell"),
        ("#/basket", "Your basket"),
        ("#/orders", "Your orders"),
    ):
        page.evaluate("view => { location.hash = view }", view)
        page.get_by_role("heading", name=ready).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{view} is wider than it"
        assert findings_of_axe(page) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(251, 250, 247)", "dark": "rgb(20, 25, 26)"}[scheme]
