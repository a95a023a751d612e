"""Prometheus' own client, promtool, asks the observatory and understands the answers."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mesh.observe.limits import Limits
from mesh.observe.metrics.metrics import Metrics
from mesh.observe.metrics.scraper import Scraper
from mesh.observe.metrics.sent import Sent
from mesh.observe.prometheus import Prometheus
from tests.pure.observe.promql.history import END, START, store
from tests.pure.observe.promql.real import binary
from tests.pure.observe.serving import serving

pytestmark = pytest.mark.skipif(not binary("promtool"), reason="needs promtool: run scripts/prometheus")

RATES = 'sum by (source_workload) (rate(istio_requests_total{reporter="source"}[1m]))'


@pytest.fixture
async def url() -> AsyncIterator[str]:
    kept = store()
    metrics = Metrics(kept, Scraper(Path("nowhere"), kept), Sent(Limits()))
    async with serving(Prometheus(metrics, clock=lambda: END / 1000).routes()) as port:
        yield f"http://127.0.0.1:{port}"


async def promtool(*arguments: str) -> str:
    def in_a_thread() -> str:
        command = [binary("promtool") or "", "query", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return await asyncio.to_thread(in_a_thread)


async def test_a_moment_and_a_range(url: str) -> None:
    at = str(END // 1000)
    found: list[Any] = json.loads(await promtool("instant", "-o", "json", f"--time={at}", url, RATES))
    assert {each["metric"]["source_workload"] for each in found} == {"ingress", "orders"}
    start = str(START // 1000 + 300)
    told = json.loads(
        await promtool("range", "-o", "json", f"--start={start}", f"--end={at}", "--step=60s", url, RATES)
    )
    assert {each["metric"]["source_workload"] for each in told} == {"ingress", "orders"}
    assert all(len(each["values"]) >= 14 for each in told)


async def test_series_and_labels(url: str) -> None:
    start, end = f"--start={START // 1000}", f"--end={END // 1000}"
    assert (await promtool("series", start, end, "--match=up", url)).count("__name__") == 3
    assert (await promtool("labels", start, end, url, "version")).split() == ["v1", "v2"]


async def test_a_mistake_is_said_in_prometheus_words(url: str) -> None:
    command = [binary("promtool") or "", "query", "instant", url, "sum("]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "bad_data" in done.stdout + done.stderr
    assert "parse error" in done.stdout + done.stderr
