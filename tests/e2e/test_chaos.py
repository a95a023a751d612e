"""Orders placed on the cluster while pods are deleted, and every promise kept: `make chaos`, smaller."""

from __future__ import annotations

import pytest

from tests.chaos import deletions
from tests.chaos.__main__ import run
from tests.scenarios.engine import Engine

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]


@pytest.mark.parametrize("running", ["cluster"], indirect=True)
def test_no_promise_is_broken_while_pods_are_deleted(engine: Engine) -> None:
    try:
        breaking = deletions.of(engine)
    except deletions.DataInPods as reason:
        pytest.skip(str(reason))
    assert run(engine, breaking, orders=150, seed=1, customers_=4) == []
