from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mesh.dash.calls import by_method
from mesh.dash.jaeger import spans
from tests.pages.reflecting import SERVICE, payments, sources
from tests.pages.served import Answer, Served, served
from tests.pages.traced import order


@pytest.fixture(scope="module")
def dash() -> Iterator[Served]:
    with payments() as port, served(sources(port)) as found:
        yield found.enter()


def method(dash: Served, name: str) -> Any:
    found = dash.ask("/api/service?namespace=shop&service=payments").json
    return next(each for each in found["methods"] if each["path"] == f"{SERVICE}/{name}")


def call(dash: Served, **changed: str) -> Answer:
    asked = {
        "namespace": "shop",
        "service": "payments",
        "caller": "shop/orders",
        "method": f"{SERVICE}/GetCharge",
        "request": '{"key": "c-1"}',
    }
    return dash.ask("/api/call", {**asked, **changed})


def explain(dash: Served, name: str, caller: str = "shop/orders") -> Any:
    return dash.ask(
        f"/api/explain?caller={caller}&namespace=shop&service=payments&method={SERVICE}/{name}"
    ).json


def test_methods_are_those_of_reflection_with_the_options_of_their_contract(dash: Served) -> None:
    charge, get = method(dash, "Charge"), method(dash, "GetCharge")
    assert "idempotencyLevel" not in charge["options"]
    assert get["options"]["idempotencyLevel"] == "NO_SIDE_EFFECTS"
    assert charge["options"]["[shop.rules.v1.policy]"]["timeout"] == "3s"
    assert '"paymentMethod"' in charge["example"]


def test_methods_that_traces_have_seen_are_counted() -> None:
    found = by_method(
        [spans(order(i, 1_000_000, 100.0 * i, failed=i == 4)) for i in range(1, 5)], "shipping", 10.0
    )
    told = found["shop.shipping.v1.Service/CreateShipment"]
    assert (told["rate"], told["failed"], told["p95"]) == (0.4, 0.25, pytest.approx(40.0))


def test_the_rules_of_a_service_are_those_that_select_it(dash: Served) -> None:
    found = dash.ask("/api/service?namespace=shop&service=payments").json
    assert [(each["kind"], each["name"]) for each in found["rules"]] == [
        ("AuthorizationPolicy", "orders-to-payments")
    ]


def test_a_call_is_made_at_the_callers_place_and_can_be_followed(dash: Served) -> None:
    found = call(dash).json
    assert found["status"] == "OK"
    assert '"c-1"' in found["messages"][0]
    assert len(found["trace"]) == 32
    assert call(dash, method=f"{SERVICE}/Charge", request="{}").json["status"] == "UNIMPLEMENTED"


def test_a_request_that_does_not_fit_is_answered_as_the_service_would(dash: Served) -> None:
    found = call(dash, request='{"idd": 1}').json
    assert found["status"] == "INVALID_ARGUMENT"
    assert "does not fit" in found["error"]


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"request": "{"}, "the request is no JSON"),
        ({"method": "Charge"}, "a method is package.Service/Method"),
        ({"caller": "shop/nobody"}, "there is no workload shop/nobody"),
        ({"caller": "shop/shipping"}, "shop/shipping cannot reach payments"),
        ({"service": "nothing"}, "there is no service shop/nothing"),
    ],
)
def test_a_call_that_cannot_be_made_says_why(dash: Served, changed: dict[str, str], wrong: str) -> None:
    answer = call(dash, **changed)
    assert (answer.status, wrong in answer.json["error"]) == (400, True), answer.json


def test_explain_says_by_which_rule(dash: Served) -> None:
    allowed, refused = explain(dash, "Charge"), explain(dash, "Refund")
    assert allowed["verdict"] == "allowed"
    assert any("orders-to-payments" in each["text"] for each in allowed["lines"])
    assert refused["verdict"] == "refused"
    assert any(each["bad"] for each in refused["lines"])
    assert explain(dash, "Charge", "shop/shipping")["verdict"] != "allowed"


def test_a_workload_without_a_service_is_shown_too(dash: Served) -> None:
    found = dash.ask("/api/service?namespace=shop&service=notifications").json
    assert found["workloads"] == ["shop/notifications"]
