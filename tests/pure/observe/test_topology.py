"""Which edges spans make: with and without sidecars, answered and not, and with what numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.observe.call import method, outcome, workload_of
from mesh.observe.span import Kind, Span, Status
from mesh.observe.topology import Edge, edges
from tests.pure.observe.made import made

GET = {"rpc.service": "shop.catalog.v1.CatalogService", "rpc.method": "GetProduct"}
UNAVAILABLE = GET | {"rpc.grpc.status_code": 14}
PATH = "shop.catalog.v1.CatalogService/GetProduct"


def chain(*links: dict[str, Any], trace: int = 1) -> list[Span]:
    """One trace, in which each span is the child of the one before."""
    numbers = range(trace * 100, trace * 100 + len(links))
    return [
        made(
            number,
            **{"trace_id": f"{trace:032x}", "parent_id": made(number - 1).span_id if at else ""} | link,
        )
        for at, (number, link) in enumerate(zip(numbers, links, strict=True))
    ]


def client(service: str = "orders", **more: Any) -> dict[str, Any]:
    return {"service": service, "kind": Kind.CLIENT, "attributes": GET} | more


def server(service: str = "catalog", **more: Any) -> dict[str, Any]:
    return {"service": service, "kind": Kind.SERVER, "attributes": GET} | more


def brief(found: list[Edge]) -> list[tuple[str, str, dict[str, int]]]:
    return [(edge.caller, edge.callee, dict(edge.statuses)) for edge in found]


def test_a_call_is_one_edge_as_the_caller_saw_it() -> None:
    spans = chain(client(lasts=9_000_000), server(lasts=2_000_000))
    assert edges(spans) == [Edge("orders", "catalog", PATH, {"OK": 1}, 9_000_000, 9_000_000, 9_000_000)]


def test_sidecars_on_both_sides_do_not_make_it_two() -> None:
    envoy = {"istio.namespace": "shop", "grpc.path": f"/{PATH}", "grpc.status_code": "14"}
    spans = chain(
        client(),
        client("orders.shop", operation="catalog:50051/*", attributes=envoy, lasts=7),
        server("catalog.shop", operation="catalog:50051/*", attributes=envoy, lasts=5),
        server(),
    )
    assert edges(spans) == [Edge("orders", "catalog", PATH, {"UNAVAILABLE": 1}, 7, 7, 7)]


def test_a_retried_call_counts_once() -> None:
    first, second = chain(client(), server(attributes=UNAVAILABLE))
    third = made(7, trace_id=first.trace_id, parent_id=first.span_id)
    assert brief(edges([first, second, third])) == [("orders", "catalog", {"OK": 1})]


def test_each_call_of_a_caller_without_client_spans_counts() -> None:
    first, second = chain(server("orders"), server())
    third = made(7, trace_id=first.trace_id, parent_id=first.span_id, attributes=GET)
    assert brief(edges([first, second, third])) == [("orders", "catalog", {"OK": 2})]


@pytest.mark.parametrize(
    ("attributes", "callee"),
    [
        (UNAVAILABLE, "catalog"),
        (GET | {"peer.service": "cache"}, "cache"),
        (GET | {"upstream_cluster.name": "outbound|50051|v1|stock.shop.svc.cluster.local"}, "stock"),
        ({"server.address": "10.0.0.1"}, "10.0.0.1"),
        (
            {"rpc.service": "other.v1.Other", "rpc.method": "Do", "server.address": "other.example.com"},
            "other",
        ),
    ],
)
def test_a_call_that_nobody_answered_is_an_edge_to_whom_it_was_for(
    attributes: dict[str, Any], callee: str
) -> None:
    spans = chain(client(), server()) + chain(client(attributes=attributes), trace=2)
    assert sum(edge.calls for edge in edges(spans) if edge.callee == callee) == 1 + (callee == "catalog")


@pytest.mark.parametrize(
    "links",
    [
        [server()],
        [client()],
        [client("catalog"), server("catalog")],
        [client(attributes={"upstream_cluster.name": "inbound|50051||"})],
        [client(attributes={"peer.service": "orders"})],
    ],
)
def test_what_is_no_call_between_two_makes_no_edge(links: list[dict[str, Any]]) -> None:
    assert edges(chain(*links)) == []


def test_spans_that_are_each_others_parents_make_edges_and_no_endless_loop() -> None:
    first = made(1, service="a", parent_id=made(2).span_id, trace_id="1" * 32)
    second = made(2, service="b", parent_id=made(1).span_id, trace_id="1" * 32)
    assert brief(edges([first, second])) == [("a", "b", {"OK": 1}), ("b", "a", {"OK": 1})]


def test_versions_are_told_apart_by_workload() -> None:
    versions = ["catalog-v1", "catalog-v1", "catalog-v2"]
    spans = [
        span
        for at, workload in enumerate(versions)
        for span in chain(client(workload="orders-v1"), server(workload=workload), trace=at + 1)
    ]
    failed = chain(client(workload="orders-v1", attributes=UNAVAILABLE), trace=9)
    assert brief(edges(spans + failed, workload_of)) == [
        ("orders-v1", "catalog-v1", {"OK": 2}),
        ("orders-v1", "catalog-v2", {"OK": 1}),
    ]


@pytest.mark.parametrize(
    ("durations", "percentiles"),
    [([5], (5, 5, 5)), (range(1, 101), (50, 95, 99)), ([1, 2], (1, 2, 2)), ([3, 1, 2], (2, 3, 3))],
)
def test_percentiles_are_by_nearest_rank(durations: list[int], percentiles: tuple[int, int, int]) -> None:
    spans = [
        span
        for at, lasts in enumerate(durations)
        for span in chain(client(lasts=lasts), server(), trace=at + 1)
    ]
    [edge] = edges(spans)
    assert (edge.p50_ns, edge.p95_ns, edge.p99_ns) == percentiles


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, "OK"),
        ({"rpc.grpc.status_code": 0}, "OK"),
        ({"rpc.grpc.status_code": 4}, "DEADLINE_EXCEEDED"),
        ({"rpc.grpc.status_code": 99}, "99"),
        ({"grpc.status_code": "14", "http.status_code": "200"}, "UNAVAILABLE"),
        ({"rpc.response.status_code": "NOT_FOUND"}, "NOT_FOUND"),
        ({"http.response.status_code": 503}, "HTTP 503"),
        ({"grpc.status_code": "²"}, "²"),
    ],
)
def test_an_outcome_has_its_protocols_name(attributes: dict[str, Any], expected: str) -> None:
    assert outcome(made(1, attributes=attributes)) == expected


def test_an_outcome_that_is_not_told_is_the_spans_status() -> None:
    assert outcome(made(1, status=Status.ERROR)) == "ERROR"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (GET, PATH),
        ({"rpc.method": PATH}, PATH),
        ({"rpc.service": "shop.catalog.v1.CatalogService", "rpc.method": PATH}, PATH),
        ({"grpc.path": f"/{PATH}"}, PATH),
        ({}, ""),
    ],
)
def test_a_method_is_read_from_old_and_new_attributes(attributes: dict[str, Any], expected: str) -> None:
    assert method(made(1, attributes=attributes)) == expected


@given(spans=st.lists(st.builds(
    made,
    st.integers(0, 5),
    trace_id=st.just("1" * 32),
    parent_id=st.sampled_from(["", *(made(n).span_id for n in range(6))]),
    service=st.sampled_from(["a", "b", "c"]),
    kind=st.sampled_from(Kind),
    attributes=st.dictionaries(
        st.sampled_from(["peer.service", "rpc.service", "rpc.method", "grpc.path", "grpc.status_code",
                         "upstream_cluster", "server.address", "istio.namespace", "http.status_code"]),
        st.text(max_size=5) | st.booleans() | st.integers() | st.floats(),
    ),
)))  # fmt: skip
def test_no_spans_make_an_edge_to_itself_or_raise(spans: list[Span]) -> None:
    for edge in edges(spans):
        assert edge.caller != edge.callee != ""
        assert edge.calls > 0
        assert 0 <= edge.p50_ns <= edge.p95_ns <= edge.p99_ns
