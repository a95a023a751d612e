"""A real headless Chromium, for all tests of pages, and what axe-core finds wrong with one. Skips where there is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or ""
AXE = Path(__file__).parents[1] / "mesh" / "dash" / "web" / "node_modules" / "axe-core" / "axe.min.js"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

Page = Any


@contextmanager
def chromium() -> Iterator[Any]:
    """Playwright's Browser. While it is open, its thread runs no other event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: scripts/browser")
    if not CHROMIUM:
        pytest.skip("needs chromium: scripts/browser")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield started
        started.close()


def findings_of_axe(page: Page) -> list[str]:
    """What axe-core has to say; skips where it is not installed."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: scripts/browser")
    page.evaluate(AXE.read_text())  # by the debugger, which the page's own policy does not bind
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
    return [
        f"{each['id']}: {each['help']}: {json.dumps([n['target'] for n in each['nodes']])}" for each in found
    ]
