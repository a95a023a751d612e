"""Traffic is split between versions as the VirtualService says, from the moment its edit is accepted."""

from __future__ import annotations

from math import sqrt

import pytest

from tests.scenarios.engine import Engine, Object

PRODUCT = {"id": "mug"}
CALLERS = ["ingress", "orders"]


def shift(engine: Engine, percent: int) -> None:
    """Send so many percent of the catalog's traffic to v2."""

    def change(spec: Object) -> None:
        for route in spec["http"]:
            destinations = {d["destination"].get("subset"): d for d in route["route"]}
            if destinations.keys() == {"v1", "v2"}:
                destinations["v1"]["weight"], destinations["v2"]["weight"] = 100 - percent, percent

    engine.edit("VirtualService", "catalog", change)


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("percent", [0, 25, 50, 100])
def test_weights_hold(engine: Engine, caller: str, percent: int) -> None:
    shift(engine, percent)
    calls = 400
    answers = engine.at(caller).calls(calls, "catalog", "GetProduct", PRODUCT, concurrency=4)
    assert not answers.failed, answers.codes()
    share = percent / 100
    spread = 5 * sqrt(calls * share * (1 - share))  # one run in a million is outside
    assert abs(answers.by("served-version")["v2"] - calls * share) <= spread, answers.by("served-version")


@pytest.mark.parametrize("caller", CALLERS)
def test_a_header_reaches_its_version_whatever_the_weights(engine: Engine, caller: str) -> None:
    shift(engine, 0)
    answers = engine.at(caller).calls(50, "catalog", "GetProduct", PRODUCT, {"x-version": "v2"})
    assert answers.by("served-version") == {"v2": 50}


@pytest.mark.timeout(300)
def test_a_hundred_edits_under_load_fail_no_call(engine: Engine) -> None:
    with engine.at("orders").load("catalog", "GetProduct", PRODUCT, seconds=280) as answers:
        for i in range(100):
            shift(engine, i % 101)
    assert len(answers) > 100
    assert [a for a in answers if not a.ok] == []
