from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.dash.jaeger import spans
from mesh.dash.sources import Sources
from mesh.observe.span import Status
from tests.pages.recorded import shop
from tests.pages.served import Served, served
from tests.pages.traced import order, orders


@pytest.fixture
def dash() -> Iterator[Served]:
    with served(Sources("test", *shop(), jaeger=orders())) as found:
        yield found.enter()


def test_jaegers_json_becomes_spans_in_order_of_start() -> None:
    found = spans(order(1, 5_000_000, 100.0, failed=True))
    assert [each.service for each in found[:3]] == ["ingress", "orders", "orders"]
    assert found[0].start_ns == 5_000_000_000
    assert {each.service for each in found if each.status is Status.ERROR} == {"payments"}


def test_a_sidecars_span_is_of_the_service_beside_it() -> None:
    span = {
        "traceID": "a",
        "spanID": "b",
        "startTime": 1,
        "processID": "p1",
        "tags": [{"key": "istio.canonical_service", "value": "catalog"}],
    }
    assert (
        spans({"spans": [span], "processes": {"p1": {"serviceName": "catalog.shop"}}})[0].service == "catalog"
    )


def test_a_search_needs_a_service(dash: Served) -> None:
    assert dash.ask("/api/traces").json["error"] == "say of which service"


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("min=soon", "min is a number of milliseconds"),
        ("tags=user", "tags are key=value"),
        ("limit=0", "limit is a number up to"),
        ("limit=99999", "limit is a number up to"),
        ("lookback=ever", "lookback is one of"),
    ],
)
def test_what_cannot_be_searched_for_is_said(dash: Served, asked: str, wrong: str) -> None:
    answer = dash.ask(f"/api/traces?service=ingress&{asked}")
    assert (answer.status, wrong in answer.json["error"]) == (400, True)


def test_rows_are_milliseconds_from_the_start(dash: Served) -> None:
    found = dash.ask(f"/api/trace?id={1:032x}").json
    assert found["rows"][0]["start"] == 0
    assert [each["service"] for each in found["rows"] if each["critical"]][:2] == ["ingress", "orders"]
    assert len(dash.ask(f"/api/trace?id={1:032x}&proxies=1").json["rows"]) == len(found["rows"]) + 2


def test_a_trace_that_is_gone_is_said(dash: Served) -> None:
    assert "there is no trace" in dash.ask("/api/trace?id=abc").json["error"]
    assert "hex digits" in dash.ask("/api/trace?id=..%2Fservices").json["error"]
