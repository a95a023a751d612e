"""What dashboards, Kiali and canary analysis ask is answered as a real Prometheus answered it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh.observe.metrics.series import Store
from tests.pure.observe.promql.compare import differences, ours
from tests.pure.observe.promql.history import store
from tests.pure.observe.promql.questions import ALL
from tests.pure.observe.promql.record import MOMENTS, RECORDED


@pytest.fixture(scope="module")
def kept() -> Store:
    return store()


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return json.loads(RECORDED.read_text())


def test_all_questions_were_asked(recorded: dict[str, Any]) -> None:
    assert list(recorded) == list(ALL), "run python -m tests.pure.observe.promql.record"


@pytest.mark.parametrize("query", ALL)
def test_the_answer_is_prometheus_own(query: str, kept: Store, recorded: dict[str, Any]) -> None:
    for moment, theirs in zip(MOMENTS, recorded[query], strict=True):
        assert differences(ours(kept, query, *moment), theirs) == ""
