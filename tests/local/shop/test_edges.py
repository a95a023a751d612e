"""Who calls whom, as proxies counted it, is what the charts declare: no more, no less, and each by mutual TLS."""

from __future__ import annotations

import contextlib
import http.client
from collections import Counter
from collections.abc import Iterator
from typing import Any

import yaml

from tests.local.project import Project, until
from tests.local.shop.test_top import asked
from tests.scenarios.local import ROOT, Local

Edge = tuple[str, str, str]
"""Who calls, who is called, and whether by mutual TLS."""

#: What arrived and was let in, by whose certificate the called side saw.
_SEEN = (
    "sum by (source_app, destination_app, connection_security_policy) "
    '(istio_requests_total{reporter="destination", grpc_response_status!="7", response_code!="403"}) > 0'
)
_TO_BROKER = 'sum by (source_app) (istio_tcp_connections_opened_total{destination_service_name="broker"}) > 0'


def charts(shop: Local) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of those that run, the values."""
    for path in sorted((ROOT / "charts" / "shop" / "charts").glob("*/values.yaml")):
        if shop.pods(path.parent.name):
            yield path.parent.name, yaml.safe_load(path.read_text()) or {}


def test_the_edges_that_are_seen_are_those_that_the_charts_declare(folder: Project, shop: Local) -> None:
    told = dict(charts(shop))
    declared = {
        (caller, call["to"]): call
        for caller, values in told.items()
        for call in values.get("calls", [])
        if call["to"] in told
    }
    before = counts(folder)
    for (caller, called), call in declared.items():
        _call(shop, caller, called, call)

    def seen() -> set[Edge]:
        return {edge for edge, count in counts(folder).items() if count > before[edge]}

    wanted = {(*edge, "mutual_tls") for edge in declared}
    with contextlib.suppress(AssertionError):
        until(lambda: seen() == wanted, "every declared edge, and no other", 60)
    assert seen() ^ wanted == set()
    publishing = {caller for caller, values in told.items() if values.get("events")}
    assert {each["metric"]["source_app"] for each in asked(folder, _TO_BROKER)} <= publishing


def _call(shop: Local, caller: str, called: str, call: dict[str, Any]) -> None:
    """Whatever is answered: it arrived."""
    if "paths" in call:
        connection = http.client.HTTPConnection(shop.gateway(), timeout=20)
        connection.request("GET", "/openapi.json", headers={"Host": f"{called}.shop.example"})
        assert connection.getresponse().status < 500
        connection.close()
        return
    method = next(name for name in call["methods"] if not name.startswith("Watch"))
    answer = shop.at(caller).call(called, method, {})
    assert answer.code != "PERMISSION_DENIED", (caller, called, method)


def counts(folder: Project) -> Counter[Edge]:
    labels = ("source_app", "destination_app", "connection_security_policy")
    found = {
        tuple(each["metric"].get(label, "") for label in labels): int(each["value"][1])
        for each in asked(folder, _SEEN)
    }
    return Counter({(caller, called, policy): count for (caller, called, policy), count in found.items()})
