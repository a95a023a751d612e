"""Which traces a query finds, in which order, and what it may cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh.observe import search as searching
from mesh.observe.search import CannotSearch, Query, Search
from mesh.observe.span import Kind, Span, Status
from mesh.observe.spans import Spans
from tests.pure.observe.exports import NOW, SECOND
from tests.pure.observe.made import made

TAGS = {"http.status_code": 503, "retried": True, "ratio": 0.5, 'é "quoted"': "ü", "name": "true"}
SPANS = [
    made(0),
    made(1, service="orders", operation="PlaceOrder", kind=Kind.CLIENT, lasts=5_000_000),
    made(2, service="orders", operation="CancelOrder", attributes=TAGS),
    made(3, service="orders", operation="PlaceOrder", status=Status.ERROR, lasts=20_000_000),
    made(4, trace_id=made(1).trace_id, service="payments", parent_id=made(1).span_id),
]
"""Spans 1 and 4 are one trace."""


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    path = tmp_path_factory.mktemp("spans") / "spans.db"
    store = Spans(path, clock=lambda: NOW)
    store.put(SPANS)
    store.close()
    return Search(path)


def query(**changed: Any) -> Query:
    return Query(**({"service": "orders", "start_ns": NOW, "end_ns": NOW + SECOND} | changed))


def numbers(traces: list[list[Span]]) -> list[list[int]]:
    return [[SPANS.index(each) for each in trace] for trace in traces]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, [[3], [2], [1, 4]]),
        ({"limit": 2}, [[3], [2]]),
        ({"service": ""}, [[1, 4], [3], [2], [0]]),
        ({"service": "payments"}, [[1, 4]]),
        ({"service": "nobody"}, []),
        ({"operation": "PlaceOrder"}, [[3], [1, 4]]),
        ({"shortest_ns": 5_000_000}, [[3], [1, 4]]),
        ({"longest_ns": 5_000_000}, [[2], [1, 4]]),
        ({"shortest_ns": 5_000_000, "longest_ns": 5_000_000}, [[1, 4]]),
        ({"start_ns": NOW + 2_000_000}, [[3], [2]]),
        ({"end_ns": NOW + 2_000_000}, [[2], [1, 4]]),
        ({"tags": {"error": "true"}}, [[3]]),
        ({"tags": {"error": "false"}}, [[2], [1, 4]]),
        ({"tags": {"span.kind": "client"}}, [[1, 4]]),
        ({"tags": {"otel.status_code": "ERROR"}}, [[3]]),
        ({"tags": {"http.status_code": "503"}}, [[2]]),
        ({"tags": {"http.status_code": "50"}}, []),
        ({"tags": {"retried": "true", "ratio": "0.5", "name": "true"}}, [[2]]),
        ({"tags": {"retried": "1"}}, []),
        ({"tags": {"é \"quoted\"": "ü"}}, [[2]]),
        ({"tags": {"ü": "é \"quoted\""}}, []),
        ({"tags": {"retried": "true"}, "operation": "PlaceOrder"}, []),
        ({"tags": {"'; DROP TABLE spans; --": "\0"}}, []),
    ],
)  # fmt: skip
def test_a_query_finds_whole_traces_the_latest_first(
    search: Search, changed: dict[str, Any], found: list[list[int]]
) -> None:
    assert numbers(search.traces(query(**changed))) == found


def test_names_are_listed_in_order(search: Search) -> None:
    assert search.services() == ["catalog", "orders", "payments"]
    assert search.operations("orders") == [
        ("CancelOrder", Kind.SERVER),
        ("PlaceOrder", Kind.CLIENT),
        ("PlaceOrder", Kind.SERVER),
    ]
    assert search.operations("nobody") == []


def test_a_trace_is_found_by_its_id(search: Search) -> None:
    assert search.trace(made(1).trace_id) == [SPANS[1], SPANS[4]]
    assert search.trace("ff" * 16) == []


def test_a_window_holds_the_latest_spans_that_started_in_it(search: Search) -> None:
    assert search.window(NOW + 1_000_000, NOW + 3_000_000, 2) == [SPANS[3], SPANS[2]]


def test_a_store_without_spans_has_no_names(tmp_path: Path) -> None:
    Spans(tmp_path / "spans.db").close()
    assert Search(tmp_path / "spans.db").services() == []


def test_a_trace_of_too_many_spans_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "LARGEST_TRACE", 10)
    store = Spans(tmp_path / "spans.db", clock=lambda: NOW)
    store.put([made(n, trace_id="1" * 32) for n in range(100)])
    store.close()
    assert len(Search(tmp_path / "spans.db").trace("1" * 32)) == 10


def test_a_search_that_takes_too_long_ends_and_says_so(tmp_path: Path) -> None:
    store = Spans(tmp_path / "spans.db", clock=lambda: NOW)
    store.put([made(n, attributes={"key": "value"}) for n in range(20_000)])
    store.close()
    with pytest.raises(CannotSearch, match=r"took more than 0\.001 s"):
        Search(tmp_path / "spans.db", seconds=0.001).traces(query(service="", tags={"key": "other"}))


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotSearch, match="cannot be read now: unable to open"):
        Search(tmp_path / "spans.db").services()
