"""A real headless Chromium for all tests of pages, and a page in it that is entered as somebody does who has the link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mesh.dash.sources import Sources
from tests.browser import Page, chromium
from tests.pages import recorded, traced
from tests.pages.served import Served, served

PATIENCE = 60_000.0

Open = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/pages/" in str(item.fspath):
            item.add_marker(pytest.mark.xdist_group("pages"))


@pytest.fixture(scope="package")  # closed before the next test that has an event loop of its own
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def shop() -> Iterator[Served]:
    with served(Sources("shop", *recorded.shop(), jaeger=traced.orders(), logs=traced.Written())) as found:
        yield found.enter()


@pytest.fixture
def visit(browser: Any, shop: Served) -> Iterator[Open]:
    """Opens a view of a dash, the shop's unless another is given. Nothing may go wrong in the browser, and it may ask
    nobody else. ``script`` runs before the page's own."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_(view: str = "#/", dash: Served = shop, script: str = "", **options: Any) -> Page:
        context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        name, _, value = dash.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{dash.port}"}])
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _bad(said) else None)
        page.on("request", lambda asked: wrong.append(asked.url) if not _own(asked.url, dash.port) else None)
        page.add_init_script(script)
        page.goto(f"http://127.0.0.1:{dash.port}/{view}")
        return page

    yield open_
    for each in contexts:
        each.close()
    assert not wrong


def _bad(said: Any) -> bool:
    """But for the browser's own line about what the server refuses, which the page shows."""
    return said.type in ("error", "warning") and not re.search(r"with a status of (400|409|422)", said.text)


def _own(url: str, port: int) -> bool:
    return url.startswith((f"http://127.0.0.1:{port}/", "data:", "blob:"))


def laid_out(page: Page) -> Page:
    page.wait_for_selector(".canvas[data-laid]")
    return page


def node_at(page: Page, id_: str) -> tuple[float, float]:
    """Where a node of the graph is on the page."""
    found = page.evaluate(
        """id => {
          const canvas = document.querySelector(".canvas"), box = canvas.getBoundingClientRect();
          const at = canvas._cyreg.cy.getElementById(id).renderedPosition();
          return [box.x + at.x, box.y + at.y];
        }""",
        id_,
    )
    return float(found[0]), float(found[1])
