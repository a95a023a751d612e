"""`mesh dash` on the running shop: by its link, over HTTP, as the page asks."""

from __future__ import annotations

import json
import re
import signal
import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.local.project import Project, until
from tests.pages.served import Served
from tests.scenarios.local import Local

PLACE = {
    "customerId": "ada",
    "items": [{"productId": "mug", "quantity": 1}],
    "paymentMethod": "tok_visa",
}


@pytest.fixture(scope="module")
def dash(folder: Project) -> Iterator[Served]:
    running = folder.start("dash")
    assert running.stdout
    link = running.stdout.readline().strip()
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=.+", link)
    assert found, link
    yield Served(int(found[1]), [link]).enter()
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    running.stdout.close()


def edges(dash: Served) -> dict[tuple[str, str], Any]:
    graph = dash.ask("/api/graph").json
    return {(each["source"], each["target"]): each for each in graph["edges"] if each["rate"] > 0}


def test_an_order_is_seen_on_every_edge_that_it_took_and_each_was_mtls(
    folder: Project, shop: Local, dash: Served
) -> None:
    wanted = {
        ("shop/ingress", "shop/orders"),
        *(("shop/orders", f"shop/{each}") for each in ("inventory", "payments", "shipping")),
    }
    keys = (f"dash-{i}" for i in count())

    def seen() -> bool:
        done = folder.mesh("call", "orders", "PlaceOrder", json.dumps({"key": next(keys), **PLACE}))
        assert done.code == 0, done.text
        return edges(dash).keys() >= wanted

    until(seen, "the edges of an order are on the graph", 60)
    until(lambda: all(edges(dash)[each]["mtls"] for each in wanted), "each is mTLS as its called side saw it")
    until(lambda: all(edges(dash)[each]["p95"] for each in wanted), "how long calls take is known")
    assert {edges(dash)[each]["protocol"] for each in wanted} == {"grpc"}


def test_the_order_is_a_trace_with_its_sidecars_folded_away(dash: Served) -> None:
    def found() -> list[Any]:
        lines: list[Any] = dash.ask("/api/traces?service=ingress").json["traces"]
        return [each for each in lines if each["request"] == "PlaceOrder" and "shipping" in each["services"]]

    until(lambda: found() and found()[-1]["spans"] >= 20, "an order's trace is whole")
    trace = dash.ask(f"/api/trace?id={found()[-1]['trace']}").json
    assert trace["proxies"] > len([each for each in trace["rows"] if each["proxy"]])
    assert {each["service"] for each in trace["rows"]} >= {"ingress", "orders", "payments", "shipping"}


def test_workloads_have_identities_certificates_and_what_their_proxies_accepted(dash: Served) -> None:
    nodes = {each["id"]: each for each in dash.ask("/api/graph").json["nodes"]}
    pod = nodes["shop/payments"]["pods"][0]
    assert pod["identity"] == "spiffe://cluster.local/ns/shop/sa/payments"
    assert pod["accepted"]
    assert pod["certificate_until"]
    assert nodes["shop/ingress"]["kind"] == "gateway"
    assert nodes["shop/broker"]["kind"] == "broker"


def test_without_a_mesh_it_says_what_to_do(folder: Project) -> None:
    done = folder.mesh("dash", "--file", "/nowhere/mesh.yaml")
    assert done.code == 1
    assert "no mesh is up here: `mesh up` starts it" in done.text


def test_weights_are_moved_and_every_proxy_is_seen_to_accept_them(
    folder: Project, shop: Local, dash: Served
) -> None:
    name = {"kind": "VirtualService", "namespace": "shop", "name": "catalog"}
    asked = "/api/rule?kind=VirtualService&namespace=shop&name=catalog"
    before = dash.ask(asked).json
    route = before["routes"][0]["index"]
    moved = dash.ask("/api/check", {**name, "text": before["text"], "route": route, "weights": [0, 100]}).json
    assert (moved["changed"], moved["findings"]) == (True, [])
    applied = dash.ask("/api/apply", {**name, "text": moved["text"], "version": before["version"]})
    assert applied.status == 200, applied.text
    try:
        until(lambda: dash.ask(asked).json["accepted"]["by_all"], "all proxies accepted it")
        until(lambda: all(e["accepted"] for e in dash.ask(asked).json["proxies"]), "each says so")
        done = folder.mesh("call", "catalog", "GetProduct", '{"id": "mug"}', "-i")
        assert "served-version: v2" in done.text
    finally:
        version = dash.ask(asked).json["version"]
        answer = dash.ask("/api/apply", {**name, "text": before["text"], "version": version})
        assert answer.status == 200, answer.text


def test_logs_of_a_trace_are_found_by_it(folder: Project, shop: Local, dash: Served) -> None:
    trace = uuid.uuid4().hex
    order = json.dumps({"key": f"logged-{trace}", **PLACE, "paymentMethod": "tok_declined"})
    folder.mesh("call", "orders", "PlaceOrder", order, "-H", f"traceparent: 00-{trace}-2222222222222222-01")
    until(lambda: dash.ask(f"/api/logs?trace={trace}").json["lines"], "something was logged of it")
    lines = dash.ask(f"/api/logs?trace={trace}").json["lines"]
    assert any(each["pod"].startswith("orders") for each in lines)
