from __future__ import annotations

import pytest

from tests.browser import Page, findings_of_axe
from tests.pages.conftest import Open

SLOW, FAILED, UNSHIPPED = f"{12:032x}", f"{10:032x}", f"{9:032x}"


def rows(page: Page) -> list[str]:
    page.locator(".waterfall .span").first.wait_for()
    return [" ".join(each.split()) for each in page.locator(".waterfall .who").all_inner_texts()]


def test_the_ingress_is_asked_for_first_and_its_traces_are_listed(visit: Open) -> None:
    page = visit("#/traces")
    page.get_by_text("60 traces").wait_for()
    assert page.get_by_role("combobox", name="Service").input_value() == "ingress"
    assert page.locator(".lines tbody tr").count() == 60


def test_a_search_is_narrowed_by_duration_and_by_failure(visit: Open) -> None:
    page = visit("#/traces")
    page.get_by_text("60 traces").wait_for()
    page.get_by_label("From").fill("500")
    page.keyboard.press("Enter")
    page.get_by_text("5 traces").wait_for()
    page.get_by_label("From").fill("")
    page.get_by_label("only failed").check()
    page.get_by_text("6 traces").wait_for()


def test_what_cannot_be_asked_is_said(visit: Open) -> None:
    page = visit("#/traces")
    page.get_by_text("60 traces").wait_for()
    page.get_by_label("Tags").fill("user")
    page.keyboard.press("Enter")
    page.get_by_role("alert").get_by_text("tags are key=value, and 'user' is not").wait_for()


def test_sidecars_are_folded_away_until_they_are_asked_for(visit: Open) -> None:
    page = visit(f"#/trace/{SLOW}")
    assert len(rows(page)) == 10
    page.get_by_label("sidecars (3 spans)").check()
    page.wait_for_function("() => document.querySelectorAll('.waterfall .span').length === 12")


def test_the_critical_path_is_marked_and_said(visit: Open) -> None:
    page = visit(f"#/trace/{SLOW}")
    rows(page)
    on_it = page.locator(".span", has=page.locator(".critical")).locator(".who").all_inner_texts()
    assert any("payments" in each for each in on_it)
    assert not any("shipping" in each for each in on_it)
    page.get_by_role("button", name="payments Charge").get_by_text("on the critical path").wait_for(
        state="attached"
    )


def test_a_span_shows_its_attributes_and_runs_nothing_of_them(visit: Open) -> None:
    page = visit(f"#/trace/{SLOW}")
    rows(page)
    page.get_by_role("button", name="payments Charge").focus()
    page.keyboard.press("Enter")
    page.locator(".attributes dd", has_text="<img src=x onerror").wait_for()
    assert page.title() == "mesh dash"
    assert page.locator(".attributes img").count() == 0


def test_a_span_leads_to_what_was_logged_in_it(visit: Open) -> None:
    page = visit(f"#/trace/{SLOW}")
    rows(page)
    page.get_by_role("region", name="Logs", exact=True).get_by_text("1 line logged meanwhile").wait_for()
    page.get_by_role("button", name="payments Charge").click()
    span = page.get_by_role("region", name="Logs of this span")
    span.get_by_text("declined <img src=x").wait_for()
    page.get_by_role("button", name="catalog BatchGetProducts").click()
    page.get_by_text("0 lines logged in this span").wait_for()


def test_a_failed_span_says_its_status(visit: Open) -> None:
    page = visit(f"#/trace/{FAILED}")
    assert any("UNAVAILABLE" in each for each in rows(page))


def test_two_are_chosen_with_the_keyboard_and_compared(visit: Open) -> None:
    page = visit("#/traces")
    page.get_by_text("60 traces").wait_for()
    for name in (UNSHIPPED, SLOW):
        page.locator("tr", has=page.locator(f"a[href$='{name}']")).get_by_role("checkbox").focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Compare 2 of 2").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Two traces").wait_for()
    page.locator("tr", has_text="only in the second").first.wait_for()
    assert "shipping" in page.locator("tr", has_text="only in the second").last.inner_text()
    charge = page.locator("tr", has_text="payments Charge").inner_text().split("\t")
    assert charge[3].startswith("+")


def test_an_outlier_is_opened_by_its_point(visit: Open) -> None:
    page = visit("#/traces")
    page.get_by_text("60 traces").wait_for()
    page.get_by_label("From").fill("900")
    page.keyboard.press("Enter")
    page.get_by_text("5 traces").wait_for()
    box = page.locator(".scatter .u-over").bounding_box()
    for x in range(0, int(box["width"]), 12):  # points are where they were; one is met on the way
        for part in (0.1, 0.3, 0.5, 0.7, 0.9):
            page.mouse.move(box["x"] + x, box["y"] + box["height"] * part)
            page.mouse.down()
            page.mouse.up()
            if "#/trace/" in page.url:
                rows(page)
                return
    pytest.fail("no point opened a trace")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(visit: Open, scheme: str, width: int) -> None:
    for view, waited in (
        ("#/traces", ".lines"),
        (f"#/trace/{FAILED}", ".waterfall .span"),
        (f"#/compare/{UNSHIPPED}/{SLOW}", ".lines"),
    ):
        page = visit(view, color_scheme=scheme, viewport={"width": width, "height": 800})
        page.locator(waited).first.wait_for()
        if waited.startswith(".water"):
            page.locator(".waterfall button").first.click()
        assert findings_of_axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
