"""What Jaeger's UI is answered, over HTTP and from a real store."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from mesh.observe.jaeger import Jaeger
from mesh.observe.jaegerquery import Malformed, query, trace_id, window
from mesh.observe.search import Search
from mesh.observe.span import Kind, Status
from mesh.observe.spans import Spans
from tests.pure.observe.exports import NOW, SECOND
from tests.pure.observe.made import made
from tests.pure.observe.serving import ask, serving

CALL = made(
    1,
    service="orders",
    operation="catalog/GetProduct",
    kind=Kind.CLIENT,
    status=Status.ERROR,
    lasts=1_500_999,
    attributes={"retried": True, "rpc.grpc.status_code": 14, "ratio": 0.5, "service.version": "v1"},
)
ANSWER = made(
    2, trace_id=CALL.trace_id, parent_id=CALL.span_id, service="catalog/odd name", workload="catalog-v2"
)
OTHER = made(3, service="orders", operation="PlaceOrder")
START = NOW // 1000
MINUTE = {"start": START, "end": START + 60_000_000}

TRACE = {
    "traceID": "00000000000000000000000000000002",
    "spans": [
        {
            "traceID": "00000000000000000000000000000002",
            "spanID": "0000000000000002",
            "operationName": "catalog/GetProduct",
            "references": [],
            "startTime": START + 1000,
            "duration": 1500,
            "tags": [
                {"key": "retried", "type": "bool", "value": True},
                {"key": "rpc.grpc.status_code", "type": "int64", "value": 14},
                {"key": "ratio", "type": "float64", "value": 0.5},
                {"key": "span.kind", "type": "string", "value": "client"},
                {"key": "otel.status_code", "type": "string", "value": "ERROR"},
                {"key": "error", "type": "bool", "value": True},
            ],
            "logs": [],
            "processID": "p1",
            "warnings": None,
        },
        {
            "traceID": "00000000000000000000000000000002",
            "spanID": "0000000000000003",
            "operationName": "GetProduct",
            "references": [
                {
                    "refType": "CHILD_OF",
                    "traceID": "00000000000000000000000000000002",
                    "spanID": "0000000000000002",
                }
            ],
            "startTime": START + 2000,
            "duration": 1000,
            "tags": [{"key": "span.kind", "type": "string", "value": "server"}],
            "logs": [],
            "processID": "p2",
            "warnings": None,
        },
    ],
    "processes": {
        "p1": {
            "serviceName": "orders",
            "tags": [
                {"key": "workload", "type": "string", "value": "catalog-v1"},
                {"key": "service.version", "type": "string", "value": "v1"},
            ],
        },
        "p2": {
            "serviceName": "catalog/odd name",
            "tags": [{"key": "workload", "type": "string", "value": "catalog-v2"}],
        },
    },
    "warnings": None,
}


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    store = Spans(tmp_path / "spans.db", clock=lambda: NOW)
    store.put([CALL, ANSWER, OTHER])
    store.close()
    async with serving(Jaeger(Search(tmp_path / "spans.db"), lambda: NOW + SECOND).routes()) as found:
        yield found


async def get(port: int, path: str, **asked: Any) -> tuple[int, dict[str, Any]]:
    response, body = await ask(port, "GET", f"/api/{path}?{urlencode(asked, doseq=True)}")
    assert response.headers["content-type"] == "application/json"
    return response.status, json.loads(body)


async def data(port: int, path: str, **asked: Any) -> Any:
    status, found = await get(port, path, **asked)
    assert (status, found["errors"]) == (200, None)
    return found["data"]


async def test_a_trace_is_told_in_jaegers_model(port: int) -> None:
    assert await get(port, f"traces/{CALL.trace_id}") == (
        200,
        {"data": [TRACE], "total": 1, "limit": 0, "offset": 0, "errors": None},
    )
    assert await data(port, "traces/2") == [TRACE]
    assert await data(port, "traces", traceID=["2", "4", "99"]) == [TRACE, *await data(port, "traces/4")]


async def test_services_and_operations_are_listed(port: int) -> None:
    odd = quote("catalog/odd name", safe="")
    assert await data(port, "services") == ["catalog/odd name", "orders"]
    assert await data(port, "services/orders/operations") == ["PlaceOrder", "catalog/GetProduct"]
    assert await data(port, f"services/{odd}/operations") == ["GetProduct"]
    assert await data(port, "operations", service="orders") == [
        {"name": "PlaceOrder", "spanKind": "server"},
        {"name": "catalog/GetProduct", "spanKind": "client"},
    ]
    assert await data(port, "operations", service="orders", spanKind="server") == [
        {"name": "PlaceOrder", "spanKind": "server"}
    ]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["4", "2"]),
        (MINUTE | {"lookback": "1h", "limit": 20, "minDuration": "", "maxDuration": ""}, ["4", "2"]),
        ({"limit": 1}, ["4"]),
        ({"operation": "PlaceOrder"}, ["4"]),
        ({"minDuration": "1.2ms"}, ["2"]),
        ({"maxDuration": "1200us"}, ["4"]),
        ({"tags": '{"error":"true"}'}, ["2"]),
        ({"tags": '{"rpc.grpc.status_code":"14","retried":"true"}'}, ["2"]),
        ({"tag": "ratio:0.5"}, ["2"]),
        ({"start": START + 2500}, ["4"]),
        ({"end": START + 2500}, ["2"]),
    ],
)
async def test_a_search_finds_traces(port: int, asked: dict[str, Any], found: list[str]) -> None:
    traces = await data(port, "traces", service="orders", **asked)
    assert [trace["traceID"].lstrip("0") for trace in traces] == found


async def test_dependencies_are_the_calls_of_the_window(port: int) -> None:
    link = {"parent": "orders", "child": "catalog/odd name", "callCount": 1}
    end = NOW // 10**6 + 1000
    assert await data(port, "dependencies", endTs=end, lookback=604_800_000) == [link]
    assert await data(port, "dependencies", service="orders") == [link]
    assert await data(port, "dependencies", service="payments") == []
    assert await data(port, "dependencies", endTs=end - 3_600_000, lookback=1000) == []


@pytest.mark.parametrize(
    ("path", "asked", "code", "told"),
    [
        ("traces/99", {}, 404, "trace not found"),
        ("traces/xyz", {}, 400, "a trace ID has up to 32 hex digits: 'xyz'"),
        ("traces", {}, 400, "parameter 'service' is required"),
        ("traces", {"service": "orders", "limit": "-1"}, 400, "param 'limit': '-1' is no number above 0"),
        ("traces", {"service": "orders", "start": "now"}, 400, "param 'start': 'now' is no number"),
        ("traces", {"service": "orders", "minDuration": "5"}, 400, "'5' is no duration, such as 1.2s or 100ms"),
        ("traces", {"service": "orders", "minDuration": "2s", "maxDuration": "1s"}, 400, "should be greater than"),
        ("traces", {"service": "orders", "tag": "error"}, 400, "expecting key:value"),
        ("traces", {"service": "orders", "tags": "{"}, 400, "expecting a JSON object"),
        ("traces", {"service": "orders", "tags": '{"error":true}'}, 400, "expecting a JSON object of strings"),
        ("traces", {"service": "orders", "tags": '{"\\ud800":""}'}, 400, "expecting a JSON object of strings"),
        ("traces", {"service": "orders", "tag": [f"{n}:" for n in range(21)]}, 400, "20 tags, not 21"),
        ("traces", {"traceID": ["1", ""]}, 400, "a trace ID has"),
        ("operations", {}, 400, "parameter 'service' is required"),
        ("dependencies", {"endTs": "1e9"}, 400, "param 'endTs'"),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_told_as_jaeger_does(
    port: int, path: str, asked: dict[str, Any], code: int, told: str
) -> None:
    status, found = await get(port, path, **asked)
    [error] = found["errors"]
    assert (status, error["code"], found["data"]) == (code, code, None)
    assert told in error["msg"]


async def test_a_store_that_cannot_be_read_is_a_503(tmp_path: Path) -> None:
    async with serving(Jaeger(Search(tmp_path / "none.db")).routes()) as port:
        status, found = await get(port, "services")
    assert (status, found["errors"][0]["code"]) == (503, 503)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("100ms", 10**8), ("1.5s", 15 * 10**8), ("1h2m", 3720 * 10**9), ("7µs", 7000), (".5us", 500), ("", 0)],
)
def test_a_duration_is_read_as_go_writes_it(text: str, nanoseconds: int) -> None:
    assert query(QueryParams({"service": "x", "minDuration": text}), NOW).shortest_ns == nanoseconds


NAMES = ["service", "start", "end", "minDuration", "maxDuration", "limit", "tag", "tags", "endTs", "lookback"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text() | st.integers().map(str))))
def test_no_parameters_make_a_query_that_sqlite_could_not_take(pairs: list[tuple[str, str]]) -> None:
    asked = QueryParams([("service", "x"), *pairs])
    try:
        found, within = query(asked, NOW), window(asked, NOW)
    except Malformed:
        return
    numbers = (
        found.start_ns,
        found.end_ns,
        found.shortest_ns,
        found.longest_ns,
        within.start_ns,
        within.end_ns,
    )
    assert all(-(2**63) <= number < 2**63 for number in numbers)
    assert 0 < found.limit <= 1500


@given(st.text())
def test_a_trace_id_is_32_digits_or_malformed(text: str) -> None:
    with suppress(Malformed):
        assert len(bytes.fromhex(trace_id(text))) == 16
