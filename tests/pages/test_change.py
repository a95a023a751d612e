from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.dash.sources import Sources
from tests.browser import Page, findings_of_axe
from tests.pages.conftest import Open
from tests.pages.recorded import Objects, shop
from tests.pages.served import Served, served

VIEW = "#/change/VirtualService/shop/catalog"


@pytest.fixture
def objects() -> Objects:
    return shop()[0]


@pytest.fixture
def dash(objects: Objects) -> Iterator[Served]:
    with served(Sources("shop", objects, shop()[1])) as found:
        yield found.enter()


def weights(objects: Objects) -> list[int]:
    return [
        each["weight"]
        for each in objects.get("VirtualService", "shop", "catalog")["spec"]["http"][0]["route"]
    ]


def opened(dash: Served, visit: Open) -> Page:
    page = visit(VIEW, dash)
    page.get_by_text("check finds nothing wrong").wait_for()
    return page


def test_weights_are_moved_and_applied(dash: Served, visit: Open, objects: Objects) -> None:
    page = opened(dash, visit)
    page.get_by_label("Weight of v2", exact=True).fill("40")
    page.get_by_text("not applied yet").wait_for()
    assert "weight: 60" in page.get_by_label("YAML").input_value()
    assert weights(objects) == [90, 10]
    page.get_by_role("button", name="Apply").click()
    page.locator(".bar output", has_text="applied").filter(has_not_text="not").wait_for()
    assert weights(objects) == [60, 40]
    page.get_by_role("button", name="Undo what was applied").click()
    page.locator(".moving tr", has_text="catalog-v2").filter(has_text="10 %").wait_for()
    assert weights(objects) == [90, 10]


def test_the_keyboard_alone_edits_and_applies(dash: Served, visit: Open, objects: Objects) -> None:
    page = opened(dash, visit)
    page.get_by_label("Weight of v1", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("not applied yet").wait_for()
    page.get_by_label("YAML").focus()
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Undo what was applied").wait_for()
    assert weights(objects) == [89, 11]


def test_check_speaks_as_it_is_typed_and_what_is_wrong_cannot_be_applied(
    dash: Served, visit: Open, objects: Objects
) -> None:
    page = opened(dash, visit)
    editor = page.get_by_label("YAML")
    given = editor.input_value()
    editor.fill(given.replace("timeout: 3s", "timeOut: 3s"))
    page.locator("#findings li", has_text="did you mean timeout?").wait_for()
    assert page.get_by_role("button", name="Apply").is_disabled()
    page.get_by_role("button", name="line").first.click()
    assert "timeOut" in page.evaluate(
        "() => { const e = document.activeElement; return e.value.slice(e.selectionStart, e.selectionEnd); }"
    )
    editor.fill(given.replace("weight: 90", "weight: 80"))
    page.locator("#findings li", has_text="add up to 90").wait_for()
    editor.fill("spec: [")
    page.locator("#findings li", has_text="this is no YAML").wait_for()
    page.get_by_role("button", name="Take back").click()
    page.get_by_text("check finds nothing wrong").wait_for()
    assert weights(objects) == [90, 10]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    dash: Served, visit: Open, objects: Objects
) -> None:
    page = opened(dash, visit)
    page.get_by_label("Weight of v2", exact=True).fill("40")
    page.get_by_text("not applied yet").wait_for()
    other = objects.get("VirtualService", "shop", "catalog")
    objects.replace(
        {**other, "spec": {**other["spec"], "http": [{**other["spec"]["http"][0], "timeout": "9s"}]}}
    )
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("alert").get_by_text("it has been changed meanwhile").wait_for()
    assert weights(objects) == [90, 10]


def test_each_proxy_is_seen_to_accept(dash: Served, visit: Open, objects: Objects) -> None:
    page = opened(dash, visit)
    page.get_by_text("11 of 11 proxies have what is written").wait_for()
    pod = next(each for each in objects.kept if each["metadata"]["name"].startswith("orders"))
    pod["status"]["proxy"] |= {"acked": False, "rejected": "no such cluster"}
    page.get_by_text("rejects it: no such cluster").wait_for()
    page.get_by_text("10 of 11 proxies have what is written").wait_for()


def test_rules_are_listed_with_how_they_divide(dash: Served, visit: Open) -> None:
    page = visit("#/change", dash)
    row = page.locator("tr", has_text="VirtualService")
    row.wait_for()
    assert "v1 90, v2 10" in row.inner_text()
    row.get_by_role("link").click()
    page.get_by_role("heading", name="VirtualService shop/catalog").wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(visit: Open, scheme: str, width: int) -> None:
    page = visit(VIEW, color_scheme=scheme, viewport={"width": width, "height": 800})
    page.locator(".moving").wait_for()
    page.get_by_label("YAML").fill("spec: [")
    page.locator("#findings li").first.wait_for()
    assert findings_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
