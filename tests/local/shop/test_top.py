"""Counts agree: what a client has counted by status is what `mesh top` and Istio's metrics say."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from mesh.observe.counters import counted
from mesh.observe.edges import STATUSES, Edge, edges
from tests.local.project import Project, until
from tests.scenarios.local import Local

CALLS = 60


def test_an_edge_has_as_many_calls_by_status_as_its_client_made(folder: Project, shop: Local) -> None:
    run = folder.folder / ".mesh" / "run"
    before = counted(run)
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

    until(counted_all, "as many by status", 10)
    found = {edge.destination: edge for edge in edges(before, counted(run), 1.0) if edge.source == "ingress"}
    assert [found[name].encrypted for name in wanted] == [True, True]
    edge = found["inventory"]
    median = edge.quantile(0.5)
    assert median is not None
    assert 0 < median < 5000


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
