"""Expressions of every shape have the answer that a real Prometheus gives, on the same history.

The same ones each time: what is compared with is Prometheus 2, and among any expressions there is, once in thousands, one that it
answers otherwise than Prometheus 3. To look for more, leave out ``derandomize``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.observe.metrics.series import Store
from tests.pure.observe.promql.compare import differences, ours
from tests.pure.observe.promql.expressions import expressions
from tests.pure.observe.promql.history import START, history, store
from tests.pure.observe.promql.real import Real, binary, prometheus
from tests.pure.observe.promql.record import theirs

pytestmark = pytest.mark.skipif(not binary("prometheus"), reason="needs prometheus: run scripts/prometheus")


@pytest.fixture(scope="module")
def real() -> Iterator[Real]:
    with prometheus(history()) as found:
        yield found


@pytest.fixture(scope="module")
def kept() -> Store:
    return store()


@given(query=expressions, at=st.integers(0, 260), step=st.sampled_from((0, 15_000, 55_000)))
@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_answer_is_prometheus_own(query: str, at: int, step: int, kept: Store, real: Real) -> None:
    start = START + at * 5_000 + 1_444
    moment = (start, start + 4 * step, step)
    assert differences(ours(kept, query, *moment), theirs(real, query, *moment)) == "", query
