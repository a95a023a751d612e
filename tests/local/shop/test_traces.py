"""A request is one trace, from the ingress to the last service, with sidecars and services in it."""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import Any

from tests.local.project import Project, until
from tests.services.process import image_of

#: Who calls whom when an order is placed, as the charts declare it.
BEHIND = {"catalog", "inventory", "payments", "shipping"}
#: Of whom an order changes something.
CHANGED = BEHIND - {"catalog"}
#: Who hears of it by events, where its language is installed; its calls are no calls, so that its proxy tells nothing.
HEARING = {name for name in ("recommendations", "notifications") if not image_of(name).missing}
EDGES = {("ingress", "orders"), *(("orders", each) for each in BEHIND | HEARING)}
PLACE = "shop.orders.v1.OrdersService/PlaceOrder"


def traces(folder: Project, *asked: str) -> list[dict[str, Any]]:
    done = folder.mesh("traces", *asked, "-o", "json")
    assert done.code == 0, done.text
    found: list[dict[str, Any]] = json.loads(done.text)
    return found


def spans(folder: Project, trace: str) -> list[dict[str, Any]]:
    """None before the first has come."""
    done = folder.mesh("trace", trace, "--proxies", "-o", "json")
    found: list[dict[str, Any]] = json.loads(done.text) if done.code == 0 else []
    return found


def speaking(found: list[dict[str, Any]], proxy: bool) -> set[str]:
    """Services with spans of their own, or of their proxies."""
    return {each["service"] for each in found if (each["attributes"].get("component") == "proxy") is proxy}


def edges(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """(caller, called) of services, by whose span is whose parent."""
    by_id = {each["span_id"]: each for each in found}
    pairs = {(by_id[e["parent_id"]]["service"], e["service"]) for e in found if e["parent_id"] in by_id}
    return {(one, other) for one, other in pairs if one != other}


def test_an_order_is_one_trace_of_all_who_took_part(folder: Project) -> None:
    customer = uuid.uuid4().hex
    order = {
        "key": uuid.uuid4().hex,
        "customerId": customer,
        "items": [{"productId": "mug", "quantity": 1}],
        "paymentMethod": "tok_visa",
    }
    mine = f"{uuid.uuid4().hex}"
    header = f"traceparent: 00-{mine}-{uuid.uuid4().hex[:16]}-01"
    done = folder.mesh("call", "orders", "PlaceOrder", json.dumps(order), "-H", header)
    assert done.code == 0, done.text
    services = {"orders", *BEHIND}

    def whole() -> bool:
        found = spans(folder, mine)
        return speaking(found, proxy=False) == services | HEARING and speaking(found, proxy=True) == {
            "ingress",
            *services,
        }

    until(whole, "spans of every service and every proxy", 20)
    found = spans(folder, mine)
    assert edges(found) == EDGES
    drawn = folder.mesh("trace", mine).text
    assert [name in drawn for name in ("PlaceOrder", "Reserve", "Charge")] == [True] * 3
    assert mine in {each["trace"] for each in traces(folder, "orders", "--operation", PLACE)}

    assert wrote(folder, mine) == {
        *((name, "call served") for name in ("orders", *CHANGED)),
        *((name, "an event was handled") for name in HEARING),
    }


def wrote(folder: Project, trace: str) -> set[tuple[str, str]]:
    """Service and event of what was logged of a trace, which `mesh logs` and the observatory agree on."""
    done = folder.mesh("logs", "--trace", trace)
    assert done.code == 0, done.text
    url = json.loads(folder.mesh("status", "-o", "json").text)["observatory"]["url"]
    with urllib.request.urlopen(f"{url}/api/logs?trace={trace}&proxies=false", timeout=10) as answer:
        found = json.loads(answer.read())["data"]
    assert sorted(f"{each['pod']} {each['line']}" for each in found) == sorted(done.text.splitlines())
    return {(each["fields"]["service"], each["message"]) for each in found}


def test_a_trace_that_is_not_there_is_said_to_be_missing(folder: Project) -> None:
    done = folder.mesh("trace", "0" * 31 + "1")
    assert done.code == 1
    assert "`mesh traces` lists them" in done.text
