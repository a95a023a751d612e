"""Counts agree: what a client has counted by status is what `mesh top` and Istio's metrics say."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from typing import Any

import pytest

from mesh.observe.counters import counted
from mesh.observe.edges import STATUSES, Edge, edges
from tests.local.project import Project, until
from tests.scenarios.local import Local

CALLS = 60


def test_an_edge_has_as_many_calls_by_status_as_its_client_made(folder: Project, shop: Local) -> None:
    run = folder.folder / ".mesh" / "run"
    began = time.time()
    until(lambda: scraped_since(folder, began), "what others have called is counted")
    before, asked_before = counted(run), prometheus(folder)
    caller = shop.at("ingress")
    fine = caller.calls(CALLS, "inventory", "GetStock", {"productId": "mug"})
    unknown = caller.calls(CALLS // 2, "inventory", "GetStock", {"productId": "no-such-product"})
    denied = caller.calls(CALLS // 3, "payments", "Charge", {})
    seen = Counter(fine.codes()) + Counter(unknown.codes())
    assert set(seen) == {"OK", "NOT_FOUND"}
    assert set(denied.codes()) == {"PERMISSION_DENIED"}

    wanted = {"inventory": seen, "payments": Counter(denied.codes())}

    def counted_all() -> bool:
        found = {
            edge.destination: edge for edge in edges(before, counted(run), 1.0) if edge.source == "ingress"
        }
        return {name: words(found[name]) for name in wanted if name in found} == wanted

    until(counted_all, "as many by status", 30)

    def kept_all() -> bool:
        grown = prometheus(folder)
        grown.subtract(asked_before)
        return +grown == Counter(
            {
                (reporter, name, status): count
                for reporter in ("source", "destination")
                for name, counts in wanted.items()
                for status, count in counts.items()
            }
        )

    until(kept_all, "as many by status in PromQL, on both sides", 30)
    found = {edge.destination: edge for edge in edges(before, counted(run), 1.0) if edge.source == "ingress"}
    assert [found[name].encrypted for name in wanted] == [True, True]
    edge = found["inventory"]
    median = edge.quantile(0.5)
    assert median is not None
    assert 0 < median < 5000


def prometheus(folder: Project) -> Counter[tuple[str, str, str]]:
    """Calls that the ingress made so far, by who counted them, service and status."""
    query = (
        "sum by (reporter, destination_service_name, grpc_response_status) "
        '(istio_requests_total{source_workload="ingress", destination_service_namespace="shop", request_protocol="grpc"})'
    )
    found = asked(folder, query)
    return Counter(
        {
            (
                each["metric"]["reporter"],
                each["metric"]["destination_service_name"],
                STATUSES[int(each["metric"]["grpc_response_status"])],
            ): int(each["value"][1])
            for each in found
        }
    )


def scraped_since(folder: Project, moment: float) -> bool:
    """Whether the observatory has asked every proxy after a moment, in seconds since 1970."""
    found = asked(folder, 'min(timestamp(up{job="envoy"}))')
    return bool(found) and float(found[0]["value"][1]) > moment


def asked(folder: Project, query: str) -> list[Any]:
    """The observatory's answer to PromQL about now."""
    url = json.loads(folder.mesh("status", "-o", "json").text)["observatory"]["url"]
    form = urllib.parse.urlencode({"query": query}).encode()
    with urllib.request.urlopen(f"{url}/api/v1/query", form, timeout=10) as answer:
        found: list[Any] = json.loads(answer.read())["data"]["result"]
    return found


def test_connections_to_the_broker_are_counted(folder: Project) -> None:
    order = {
        "key": uuid.uuid4().hex,
        "customerId": "ada",
        "items": [{"productId": "mug", "quantity": 1}],
        "paymentMethod": "tok_visa",
    }
    assert folder.mesh("call", "orders", "PlaceOrder", json.dumps(order)).code == 0
    query = (
        "istio_tcp_connections_opened_total"
        '{source_workload="orders", destination_service_name="broker", request_protocol="tcp"}'
    )
    until(lambda: asked(folder, query), "a connection of orders", 30)
    [found] = asked(folder, query)
    assert int(found["value"][1]) >= 1
    assert found["metric"]["destination_principal"].endswith("/ns/shop/sa/broker")


def words(edge: Edge) -> Counter[str]:
    return Counter({STATUSES[int(status)]: count for status, count in edge.statuses.items()})


@pytest.mark.parametrize("output", ["text", "json"])
def test_calls_of_now_are_shown(folder: Project, shop: Local, output: str) -> None:
    with shop.at("orders").load("catalog", "GetProduct", {"id": "mug"}):
        done = folder.mesh("top", "-i", "1.5", "-o", output)
    assert done.code == 0, done.text
    if output == "text":
        assert "orders" in done.text
        assert "OK" in done.text
    else:
        found = {(each["source"], each["destination"]): each for each in json.loads(done.text)}
        edge = found["orders", "catalog-v1"]
        assert edge["rate"] > 0
        assert edge["mtls"] is True
        assert edge["statuses"].keys() == {"0"}
