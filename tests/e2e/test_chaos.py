"""Orders placed on the cluster while pods are deleted, and every promise kept: `make chaos`, smaller."""

from __future__ import annotations

import pytest

from tests.chaos import deletions
from tests.chaos.__main__ import run
from tests.scenarios.engine import Engine

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
ORDERS = 90  # with more there is stock for a wish of too many, which then leaves none for the scenarios


@pytest.mark.parametrize("running", ["cluster"], indirect=True)
def test_no_promise_is_broken_while_pods_are_deleted(engine: Engine) -> None:
    try:
        breaking = deletions.of(engine)
    except deletions.DataInPods as reason:
        pytest.skip(str(reason))
    assert run(engine, breaking, orders=ORDERS, seed=1, customers_=4) == []
