"""A trace reads from top to bottom, whoever is missing in it, and what made it last is marked."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.observe.span import Span
from mesh.observe.waterfall import request, waterfall
from tests.pure.observe.exports import NOW
from tests.pure.observe.made import made

MS = 1_000_000


def span(name: str, start: int, end: int, parent: str = "", **changed: Any) -> Span:
    """From and to a millisecond; ``name`` is its id, and ``parent``'s that of its caller."""
    return made(
        0, span_id=name, parent_id=parent, start_ns=NOW + start * MS, lasts=(end - start) * MS, **changed
    )


def proxy(name: str, start: int, end: int, parent: str = "", **changed: Any) -> Span:
    return span(name, start, end, parent, attributes={"component": "proxy"}, **changed)


def shown(*spans: Span, proxies: bool = False) -> list[tuple[str, int]]:
    return [(row.span.span_id, row.depth) for row in waterfall(spans, proxies)]


def critical(*spans: Span) -> set[str]:
    return {row.span.span_id for row in waterfall(spans) if row.critical}


def test_callers_stand_before_what_they_called_in_order_of_start() -> None:
    spans = (span("c", 6, 8, "a"), span("b2", 3, 4, "b"), span("b", 2, 5, "a"), span("a", 0, 9))
    assert shown(*spans) == [("a", 0), ("b", 1), ("b2", 2), ("c", 1)]


def test_a_sidecar_is_folded_into_the_service_beside_it() -> None:
    spans = (
        proxy("in", 0, 10, service="ingress"),
        proxy("to", 1, 9, "in", service="ingress"),
        proxy("side", 2, 9, "to", service="orders"),
        span("order", 3, 8, "side", service="orders"),
        proxy("out", 4, 8, "order", service="orders"),
        span("charge", 5, 7, "out", service="payments"),
    )
    assert shown(*spans) == [("in", 0), ("order", 1), ("charge", 2)]
    assert [depth for _, depth in shown(*spans, proxies=True)] == [0, 1, 2, 3, 4, 5]


def test_a_call_whose_caller_is_not_there_stands_at_the_top() -> None:
    assert shown(span("a", 0, 1), span("b", 2, 3, "lost")) == [("a", 0), ("b", 0)]


def test_callers_that_go_in_a_circle_are_shown_once() -> None:
    assert shown(span("a", 0, 1, "b"), span("b", 0, 1, "a"), span("c", 0, 1, "c")) == [
        ("c", 0),
        ("a", 0),
        ("b", 0),
    ]


def test_what_ended_last_before_the_next_began_is_critical() -> None:
    top, early, slow, beside = (
        span("a", 0, 10),
        span("b", 1, 3, "a"),
        span("c", 4, 9, "a"),
        span("d", 4, 6, "a"),
    )
    assert critical(top, early, slow, beside) == {"a", "b", "c"}


def test_what_outlives_its_caller_counts_until_the_callers_end() -> None:
    assert critical(span("a", 0, 10), span("late", 8, 30, "a"), span("b", 1, 7, "a")) == {"a", "late", "b"}


def test_a_long_chain_is_no_deep_recursion() -> None:
    chain = [span(str(n), n, 5000, str(n - 1) if n else "") for n in range(3000)]
    rows = waterfall(chain)
    assert rows[-1].depth == 2999
    assert all(row.critical for row in rows)


@pytest.mark.parametrize(
    ("operation", "attributes", "asked"),
    [
        ("shop.orders.v1.OrdersService/PlaceOrder", {}, "PlaceOrder"),
        ("GET /v1/orders/{id}", {}, "GET /v1/orders/{id}"),
        ("GET", {}, "GET"),
        ("*", {"grpc.path": "/shop.orders.v1.OrdersService/GetOrder"}, "GetOrder"),
        ("*", {"http.method": "GET", "http.url": "http://127.0.0.1:80/v1/orders?x=1"}, "GET /v1/orders"),
        ("storefront:8080/*", {}, "*"),
    ],
)
def test_a_request_has_a_short_name(operation: str, attributes: dict[str, Any], asked: str) -> None:
    proxied = {"component": "proxy"} if attributes or operation.endswith("*") else {}
    assert request(span("a", 0, 1, operation=operation, attributes={**proxied, **attributes})) == asked
