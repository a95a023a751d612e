"""`mesh test --live` asks the running shop what its tests ask the charts, by real requests too, and the answers are the same."""

from __future__ import annotations

from typing import Any

from tests.local.project import Project
from tests.scenarios.local import Local


def test_the_running_shop_does_what_its_tests_expect(folder: Project) -> None:
    done = folder.mesh("test", "--live", timeout=120)
    assert done.code == 0, done.text


def test_what_does_not_run_as_expected_fails(folder: Project, shop: Local) -> None:
    def nobody(spec: dict[str, Any]) -> None:
        spec["rules"][0]["to"][0]["operation"]["paths"] = ["/nothing"]

    shop.edit("AuthorizationPolicy", "orders-to-payments", nobody)
    done = folder.mesh("test", "--live", "-k", "money is asked for once")
    assert (done.code, "verdict: expected allowed, got refused" in done.text) == (1, True)
