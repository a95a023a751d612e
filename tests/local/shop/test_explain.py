"""`mesh explain` asks the proxies that run, and says where they and the charts disagree."""

from __future__ import annotations

import json
from typing import Any

from tests.local.project import Project
from tests.scenarios.local import Local

Object = dict[str, Any]
CHART = ("--chart", "charts/shop", "-n", "shop", "--kubeconfig", ".mesh/kubeconfig")


def explain(folder: Project, *arguments: str) -> Object:
    done = folder.mesh("explain", *arguments, "-o", "json")
    assert done.code == 0, done.text
    answer: Object = json.loads(done.text)
    return answer


def test_what_runs_is_what_the_charts_say(folder: Project) -> None:
    for asked in (
        ("--from", "orders", "--to", "catalog", "--method", "GetProduct"),
        ("--from", "orders", "--to", "catalog", "--method", "ListProducts"),
        ("--from", "ingress", "--to", "payments.shop.example", "--method", "Charge"),
        ("--from", "payments", "--to", "orders", "--method", "PlaceOrder"),
    ):
        found = explain(folder, *asked, *CHART)
        assert found["differs"] == [], asked


def test_an_edit_shows_in_the_proxies_and_against_the_charts(folder: Project, shop: Local) -> None:
    def half(spec: Object) -> None:
        route = next(http for http in spec["http"] if http["name"] == "idempotent")
        for each in route["route"]:
            each["weight"] = 50

    shop.edit("VirtualService", "catalog", half)
    asked = ("--from", "orders", "--to", "catalog", "--method", "GetProduct")
    assert [each["share"] for each in explain(folder, *asked)["destinations"]] == [0.5, 0.5]
    (said,) = explain(folder, *asked, *CHART)["differs"]
    assert said.startswith("goes to: the files say 90% shop/catalog-v1")
