"""Prometheus' HTTP API, as its clients call it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from mesh.observe.istio import Pod
from mesh.observe.limits import Limits
from mesh.observe.metrics.metrics import Metrics
from mesh.observe.metrics.scraper import Scraper, Target
from mesh.observe.metrics.sent import Sent
from mesh.observe.prometheus import Prometheus
from tests.pure.observe.promql.history import END, START, store
from tests.pure.observe.serving import ask, serving

AT = END / 1000 + 1
FORM = "application/x-www-form-urlencoded"
POD = Pod("catalog-1", "shop", "catalog-v1", {}, "spiffe://x", False, "pods/catalog-1/admin.sock", {})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    kept = store()
    scraper = Scraper(Path("nowhere"), kept)
    scraper.types["istio_request_duration_milliseconds"] = "histogram"
    scraper.types["istio_requests_total"] = "counter"
    scraper.targets = [Target(POD, AT, 0.01, "", ""), Target(POD, AT, 4.0, "", "no answer within 4 s")]
    metrics = Metrics(kept, scraper, Sent(Limits()))
    async with serving(Prometheus(metrics, clock=lambda: AT).routes()) as port:
        yield port


async def get(port: int, path: str, *more: tuple[str, str], **given: str) -> Any:
    """The ``data``; it must be there."""
    answer, body = await ask(port, "GET", f"/api/v1/{path}?{urlencode([*given.items(), *more])}")
    told = json.loads(body)
    assert (answer.status, told["status"]) == (200, "success"), told
    return told["data"]


async def refused(port: int, path: str, **given: str) -> tuple[int, str, str]:
    answer, body = await ask(port, "GET", f"/api/v1/{path}?{urlencode(given)}")
    told = json.loads(body)
    assert told["status"] == "error"
    return answer.status, told["errorType"], told["error"]


async def test_a_question_is_about_now_unless_it_says_when(port: int) -> None:
    now = await get(port, "query", query="sum(up)")
    assert now == {"resultType": "vector", "result": [{"metric": {}, "value": [AT, "3"]}]}
    assert (await get(port, "query", query="sum(up)", time=str(START / 1000)))["result"][0]["value"][1] == "0"
    told = "2023-11-14T22:13:20.003Z"
    assert (await get(port, "query", query="time()", time=told))["result"] == [
        1700000000.003,
        "1700000000.003",
    ]


async def test_a_form_asks_as_a_query_string_does(port: int) -> None:
    form = urlencode({"query": "1+1", "time": "5"}).encode()
    answer, body = await ask(port, "POST", "/api/v1/query", form, Content_Type=FORM)
    assert answer.status == 200
    assert json.loads(body)["data"] == {"resultType": "scalar", "result": [5, "2"]}


async def test_a_range_is_asked_in_seconds_or_durations(port: int) -> None:
    start, end = str(START / 1000), str(START / 1000 + 60)
    found = await get(port, "query_range", query="sum(up)", start=start, end=end, step="30s")
    assert found["resultType"] == "matrix"
    assert [at for at, _ in found["result"][0]["values"]] == [1700000000.003 + each for each in (0, 30, 60)]
    assert found == await get(port, "query_range", query="sum(up)", start=start, end=end, step="30")


@pytest.mark.parametrize(
    ("path", "given", "status", "kind", "words"),
    [
        ("query", {}, 400, "bad_data", '"query"'),
        ("query", {"query": "sum("}, 400, "bad_data", "unclosed left parenthesis"),
        ("query", {"query": "up", "time": "yesterday"}, 400, "bad_data", "valid timestamp"),
        ("query", {"query": "(" * 5000 + "1" + ")" * 5000}, 400, "bad_data", "deep"),
        ("query", {"query": "-" * 5000 + "1"}, 400, "bad_data", "deep"),
        ("query", {"query": "temperature + on (namespace) strange"}, 422, "execution", "many-to-many"),
        ("query", {"query": 'up{pod=~"a{2000}"}'}, 400, "bad_data", "regex"),
        ("query_range", {"query": "up", "start": "0", "end": "20000", "step": "1"}, 400, "bad_data", "11,000"),
        ("query_range", {"query": "up", "start": "0", "end": "1", "step": "0"}, 400, "bad_data", "step"),
        ("query_range", {"query": "up", "start": "0", "end": "1", "step": "x"}, 400, "bad_data", "duration"),
        ("query_range", {"query": "up", "start": "2", "end": "1", "step": "1"}, 400, "bad_data", "end"),
        ("query_range", {"query": "up[1m]", "start": "0", "end": "1", "step": "1"}, 400, "bad_data", "range"),
        ("query", {"query": "max_over_time(up[1h:1ms])"}, 400, "bad_data", "longer step"),
        ("query", {"query": "info(up)"}, 400, "bad_data", "info"),
        ("series", {}, 400, "bad_data", "match[]"),
        ("series", {"match[]": "1"}, 400, "bad_data", "selector"),
    ],
)  # fmt: skip
async def test_errors_are_prometheus_own(
    port: int, path: str, given: dict[str, str], status: int, kind: str, words: str
) -> None:
    code, found, said = await refused(port, path, **given)
    assert (code, found) == (status, kind)
    assert words in said


async def test_a_question_may_look_at_so_many_samples(port: int) -> None:
    start, end = str(START / 1000), str(START / 1000 + 10_000)
    query = "quantile_over_time(0.5, {__name__!=''}[1h])"
    code, kind, said = await refused(port, "query_range", query=query, start=start, end=end, step="1")
    assert (code, kind) == (422, "execution")
    assert "too many samples" in said


async def test_series_labels_and_their_values_are_listed(port: int) -> None:
    found = await get(port, "series", ("match[]", "up"), ("match[]", 'temperature{version="v2"}'))
    assert {each["__name__"] for each in found} == {"up", "temperature"}
    assert len(found) == 4
    assert await get(port, "labels", ("match[]", "pod_info")) == [
        "__name__",
        "namespace",
        "node",
        "pod",
        "version",
    ]
    assert await get(port, "label/version/values") == ["v1", "v2"]
    assert await get(port, "label/pod/values", ("match[]", 'up{version="v2"}')) == ["catalog-2"]
    assert await get(port, "label/pod/values", limit="1") == ["catalog-1"]
    assert "istio_requests_total" in await get(port, "label/__name__/values")
    assert await get(port, "label/pod/values", end="1600000000") == []


async def test_metadata_says_what_a_metric_is(port: int) -> None:
    found = await get(port, "metadata")
    assert found["istio_request_duration_milliseconds"] == [{"type": "histogram", "help": "", "unit": ""}]
    assert found["istio_requests_total"][0]["type"] == "counter"
    assert list(await get(port, "metadata", metric="temperature")) == ["temperature"]


async def test_targets_are_the_proxies_of_the_last_round(port: int) -> None:
    up, down = (await get(port, "targets"))["activeTargets"]
    assert up["labels"] == {
        "job": "envoy",
        "instance": "catalog-1.shop",
        "pod": "catalog-1",
        "namespace": "shop",
    }
    assert (up["health"], down["health"], down["lastError"]) == ("up", "down", "no answer within 4 s")


async def test_what_kiali_and_grafana_ask_of_the_server_itself(port: int) -> None:
    assert (await get(port, "status/buildinfo"))["version"].startswith("3.")
    assert (await get(port, "status/flags"))["storage.tsdb.retention.time"] == "1h"
    assert "scrape_interval: 5s" in (await get(port, "status/config"))["yaml"]
    assert (await get(port, "status/runtimeinfo"))["storageRetention"] == "1h"
    assert await get(port, "rules") == {"groups": []}
    assert (await ask(port, "GET", "/-/ready"))[0].status == 200
