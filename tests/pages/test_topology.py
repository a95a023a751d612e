from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.dash.sources import Sources
from tests.browser import findings_of_axe
from tests.pages import recorded
from tests.pages.conftest import Open, Page, laid_out, node_at
from tests.pages.served import Served, served

#: How long the worker takes at best, between the order and its answer, in ms.
CLOCK = """
window.took = Infinity;
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (order) {
  const began = performance.now();
  this.addEventListener("message", () => {
    window.took = Math.min(window.took, performance.now() - began);
  }, {once: true});
  post.call(this, order);
};
"""


@pytest.fixture(scope="module")
def large() -> Iterator[Served]:
    with served(Sources("large", *recorded.large())) as found:
        yield found.enter()


def shown(page: Page) -> set[str]:
    found = page.evaluate("document.querySelector('.canvas')._cyreg.cy.nodes().map(each => each.id())")
    return set(found)


def test_a_node_that_is_clicked_says_how_it_is(visit: Open) -> None:
    page = laid_out(visit())
    page.mouse.click(*node_at(page, "shop/payments"))
    panel = page.locator("#panel")
    panel.get_by_role("heading", name="payments").wait_for()
    assert "15 % of the calls to it fail" in panel.inner_text()


def test_an_edge_says_its_statuses_its_split_and_whether_it_is_mtls(visit: Open) -> None:
    page = laid_out(visit())
    page.mouse.click(*node_at(page, "shop/orders"))
    page.get_by_role("button", name="shipping").click()
    page.locator("#panel .alarm", has_text="NOT mTLS").wait_for()
    page.mouse.click(*node_at(page, "shop/storefront"))
    page.get_by_role("button", name="catalog-v2").click()
    row = page.locator("#panel tr", has_text="catalog-v2")
    row.wait_for()
    assert row.inner_text().split("\t") == ["catalog-v2", "10 %", "11 %"]


def test_find_counts_and_goes_from_one_to_the_next(visit: Open) -> None:
    page = laid_out(visit())
    page.get_by_label("Find").fill("catalog kind:work")
    page.locator(".field output", has_text="2").wait_for()
    page.keyboard.press("Enter")
    page.locator("#panel h2", has_text="catalog-v1").wait_for()
    page.keyboard.press("Enter")
    page.locator("#panel h2", has_text="catalog-v2").wait_for()


def test_hide_takes_away_what_fits(visit: Open) -> None:
    page = laid_out(visit())
    page.get_by_label("Hide").fill("kind:database")
    page.get_by_text("5 hidden").wait_for()
    assert not any(":" in each for each in shown(page))


def test_versions_are_put_together_as_services_with_their_rates(visit: Open) -> None:
    page = laid_out(visit())
    page.get_by_role("combobox", name="Show").select_option("services")
    page.get_by_label("as tables").check()
    row = page.locator(".tables tr", has_text="storefront").filter(has_text="catalog")
    row.wait_for()
    assert "36/s" in row.inner_text()


def test_a_namespace_can_be_looked_at_alone(visit: Open, large: Served) -> None:
    page = laid_out(visit(dash=large))
    page.get_by_role("combobox", name="Namespace").select_option("team-3")
    page.wait_for_function("() => document.querySelector('.canvas')._cyreg.cy.nodes().length < 40")
    assert {each.partition("/")[0] for each in shown(page)} == {"team-3"}


def test_a_node_that_was_dragged_stays_there_as_the_mesh_is_read_again(visit: Open) -> None:
    page = laid_out(visit())
    x, y = node_at(page, "shop/notifications")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    there = node_at(page, "shop/notifications")
    assert abs(there[0] - x - 60) < 3
    with page.expect_response("**/api/graph*"):  # the next of those that are asked for every 5 s
        pass
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert node_at(page, "shop/notifications") == there


def test_the_keyboard_alone_walks_the_graph_and_reads_it(visit: Open) -> None:
    page = laid_out(visit())
    page.get_by_label("as tables").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('canvas')")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.locator("#panel h2").wait_for()
    first = page.locator("#panel h2").inner_text()
    page.locator(".unseen[role=status]", has_text=first).wait_for(state="attached")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("first => document.querySelector('#panel h2').innerText !== first", arg=first)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    page.locator(".canvas").focus()
    page.keyboard.press("Escape")
    page.locator("#panel h2", has_text="The mesh").wait_for()


def test_the_last_hour_can_be_gone_back_to(visit: Open) -> None:
    page = laid_out(visit())
    with page.expect_response("**/api/graph?at=*"):
        page.get_by_label("Moment shown").fill("40")
    page.get_by_text("as of").wait_for()
    page.get_by_role("button", name="Live").click()
    page.get_by_text("live,").wait_for()


def test_three_hundred_services_are_laid_out_while_the_page_answers(visit: Open, large: Served) -> None:
    page = visit(dash=large, script=CLOCK)
    laid_out(page)
    assert len(shown(page)) == 300
    for again in ("2", "3"):  # the first time, the machine is busy with starting
        page.get_by_role("button", name="Tidy").click()
        page.wait_for_selector(f".canvas[data-laid='{again}']")
    assert page.evaluate("window.took") < 2000
    page.get_by_label("Find").press_sequentially("service-2")
    page.locator(".field output", has_text="100").wait_for()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(visit: Open, scheme: str, width: int) -> None:
    page = laid_out(visit(color_scheme=scheme, viewport={"width": width, "height": 800}))
    page.mouse.click(*node_at(page, "shop/storefront"))
    page.locator("#panel h2", has_text="storefront").wait_for()
    assert findings_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("as tables").check()
    page.get_by_role("region", name="Edges").wait_for()
    assert findings_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
