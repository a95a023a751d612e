from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Page, findings_of_axe
from tests.pages.conftest import Open
from tests.pages.reflecting import payments, sources
from tests.pages.served import Served, served

VIEW = "#/service/shop/payments"


@pytest.fixture(scope="module")
def dash() -> Iterator[Served]:
    with payments() as port, served(sources(port)) as found:
        yield found.enter()


def opened(dash: Served, visit: Open, **options: object) -> Page:
    page = visit(VIEW, dash, **options)
    page.get_by_role("region", name="Methods").wait_for()
    return page


def test_methods_say_what_their_contract_says(dash: Served, visit: Open) -> None:
    page = opened(dash, visit)
    rows = page.get_by_role("region", name="Methods").locator("tbody tr")
    assert "must not be repeated · timeout 3s" in rows.filter(has_text="Charge").first.inner_text()
    assert "reads only" in rows.filter(has_text="GetCharge").inner_text()


def test_callers_proxies_and_certificates_are_shown(dash: Served, visit: Open) -> None:
    page = opened(dash, visit)
    assert "15 % fail" in page.locator("section", has_text="Who calls it").last.inner_text()
    pod = page.get_by_role("region", name="Pods").locator("tbody tr").inner_text()
    assert "accepted 98bf27c8" in pod
    assert "cluster.local/ns/shop/sa/payments" in pod
    assert "in 22 h" in pod


def test_a_call_is_tried_with_the_keyboard_alone(dash: Served, visit: Open) -> None:
    page = opened(dash, visit)
    page.get_by_role("combobox", name="As").focus()
    page.keyboard.type("orders")
    page.keyboard.press("Tab")
    page.keyboard.type("GetCharge")
    page.get_by_label("Request").fill('{"key": "c-7"}')
    page.get_by_role("button", name="Call", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator(".answer", has_text="OK").wait_for()
    assert '"c-7"' in page.locator(".answer pre").inner_text()
    assert page.get_by_role("link", name="its trace").get_attribute("href")


def test_a_call_that_cannot_be_made_says_why(dash: Served, visit: Open) -> None:
    page = opened(dash, visit)
    page.get_by_role("combobox", name="As").select_option("shipping")
    page.get_by_role("button", name="Call", exact=True).click()
    page.get_by_role("alert").get_by_text("shop/shipping cannot reach payments").wait_for()


def test_explain_is_inline(dash: Served, visit: Open) -> None:
    page = opened(dash, visit)
    page.get_by_role("combobox", name="From").select_option("orders")
    page.get_by_role("combobox", name="Method").select_option("Refund")
    page.get_by_role("button", name="Explain").click()
    page.locator(".explained b.failed", has_text="refused").wait_for()
    page.get_by_role("combobox", name="Method").select_option("Charge")
    page.get_by_role("button", name="Explain").click()
    page.locator(".explained .well", has_text="allowed").wait_for()
    assert "orders-to-payments" in page.locator(".explained").inner_text()


def test_a_service_is_found_in_the_list_and_from_the_graph(dash: Served, visit: Open) -> None:
    page = visit("#/services", dash)
    page.get_by_role("link", name="payments").click()
    page.get_by_role("heading", name="payments").wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    dash: Served, visit: Open, scheme: str, width: int
) -> None:
    page = opened(dash, visit, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.get_by_role("combobox", name="As").select_option("orders")
    page.get_by_role("button", name="Call", exact=True).click()
    page.locator(".answer").wait_for()
    page.get_by_role("button", name="Explain").click()
    page.locator(".explained").wait_for()
    assert findings_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    other = visit("#/services", dash, color_scheme=scheme, viewport={"width": width, "height": 800})
    other.locator(".lines tbody tr").first.wait_for()
    assert findings_of_axe(other) == []
    assert other.evaluate("document.documentElement.scrollWidth") <= width
