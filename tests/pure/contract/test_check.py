"""What needs the contract is found, on its line and with what to do; in what is right nothing is found."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from mesh.contract.check import check
from mesh.contract.methods import Contract, Contracts, Method
from mesh.link.link import link
from mesh.resources.object import parse
from mesh.resources.problem import Place, Problem

TEXT = Path(__file__).with_name("mesh.yaml").read_text()


def contract(service: str, *methods: Method) -> Contract:
    places = {each.name: Place("contract.yaml", i) for i, each in enumerate(methods, 1)}
    return Contract(service, methods, places)


FIVE, THREE = timedelta(seconds=5), timedelta(seconds=3)
CONTRACTS = Contracts(
    (
        contract("shop.v1.Orders", Method("Place", False, FIVE), Method("Get", True, THREE)),
        contract("shop.v1.Payments", Method("Charge", False, THREE), Method("GetCharge", True, THREE)),
        contract("shop.v1.Stock", Method("Reserve", False)),
    )
)
CHARGE = "- name: charge\n      route: [{destination: {host: payments}}]\n      retries: {attempts: 0}"
SIDECAR = '["./payments.shop.svc.cluster.local", "./stock.shop.svc.cluster.local"]'
STOCK = 'retries: {attempts: 2, retryOn: "connect-failure,refused-stream"}'
GETS = 'retries: {attempts: 2, perTryTimeout: 1s, retryOn: "unavailable,reset"}\n      timeout: 4s'
WIDE = "metadata: {name: default, namespace: shop}\nspec: {mtls: {mode: STRICT}}"
OWN = "mtls: {mode: STRICT}\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy"


def found(text: str, contracts: Contracts = CONTRACTS) -> list[Problem]:
    objects, problems = parse(text, "mesh.yaml")
    assert problems == []
    return check(link(objects)[0], contracts)


def test_in_what_is_right_nothing_is_found() -> None:
    assert found(TEXT) == []


@pytest.mark.parametrize(
    ("before", "after", "line", "code", "said"),
    [
        (CHARGE, CHARGE.replace("attempts: 0", "attempts: 1"), "attempts: 1", "MW0701", "Payments/Charge is no idempotent method, and is tried up to 2 times"),
        (CHARGE, CHARGE.partition("      retries")[0].rstrip(), "name: charge", "MW0701", "Istio's default, since the route says nothing"),
        (CHARGE, CHARGE.replace("{attempts: 0}", "{attempts: 2, retryOn: 5xx}"), "retryOn: 5xx", "MW0701", "on 5xx"),
        (STOCK, STOCK.replace("connect-failure", "unavailable"), '"unavailable,refused', "MW0701", "Stock/Reserve"),
        (GETS, GETS.replace("1s", "2s"), "perTryTimeout: 2s", "MW0702", "3 tries of 2 s take 6 s, and the call has 4 s"),
        (GETS, GETS.replace("attempts: 2", "attempts: 4"), "attempts: 4", "MW0702", "5 tries of 1 s take 5 s"),
        (CHARGE + "\n      timeout: 2s", CHARGE + "\n      timeout: 6s", "timeout: 6s", "MW0703", "no method of orders, which makes them, has more than 5 s"),
        (GETS, GETS.replace("attempts: 2, perTryTimeout: 1s", "attempts: 3, perTryTimeout: 500ms"), "attempts: 3", "MW0704", "front -> orders -> payments may become 12"),
        ("- /shop.v1.Payments/Charge", "- /shop.v1.Payments/Chrage", "Chrage", "MW0705", "shop.v1.Payments has no method Chrage"),
        ("{exact: /shop.v1.Orders/Get}", "{exact: /shop.v1.Orders/GetIt}", "GetIt", "MW0705", "has no method GetIt"),
        ("- /shop.v1.Payments/Charge", "- /shop.v1.Payment/Charge", "Payment/", "MW0705", "no contract has a service shop.v1.Payment"),
        (SIDECAR, '["./stock.shop.svc.cluster.local"]', "              - cluster.local/ns/shop/sa/orders", "MW0706", "orders may call payments, and cannot"),
        ("- /shop.v1.Payments/GetCharge", "- /shop.v1.Payments/Charge", "", "MW0707", "nobody may call /shop.v1.Payments/GetCharge of payments"),
        (OWN, OWN.replace("STRICT", "PERMISSIVE"), "mode: PERMISSIVE", "MW0708", "PERMISSIVE where the mesh around it is STRICT"),
        (OWN, OWN.replace("{mode: STRICT}", "{mode: STRICT}\n  portLevelMtls:\n    50051: {mode: DISABLE}"), "50051: {mode", "MW0708", "port 50051 is DISABLE"),
        (OWN, OWN.replace("STRICT", "DISABLE"), "- source:", "MW0709", "nobody proves who they are to payments"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_on_its_line(before: str, after: str, line: str, code: str, said: str) -> None:
    assert TEXT.count(before) == 1, before
    text = TEXT.replace(before, after)
    problems = found(text)
    wanted = [each for each in problems if each.code == code]
    assert wanted, problems
    assert said in wanted[0].message
    assert wanted[0].fix
    if line:
        number = next(i for i, each in enumerate(text.splitlines(), 1) if line in each)
        assert wanted[0].place == Place("mesh.yaml", number, wanted[0].place.path)
    else:
        assert wanted[0].place.file == "contract.yaml"


def test_a_host_without_routes_is_retried_by_default() -> None:
    """Its Service is where that is said."""
    start = TEXT.index(
        "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: stock"
    )
    (problem,) = (each for each in found(TEXT[:start]) if each.code == "MW0701")
    assert "Stock/Reserve" in problem.message
    assert "since no VirtualService says otherwise" in problem.message
    assert TEXT.splitlines()[problem.place.line - 1 : problem.place.line + 2][-1].startswith(
        "metadata: {name: stock"
    )


def test_a_role_that_nobody_plays_here_is_no_finding() -> None:
    known = Contracts(
        (contract("shop.v1.Payments", Method("Charge", True), Method("Audit", True, callers=("auditor",))),)
    )
    assert [each.code for each in found(TEXT.replace("GetCharge", "Charge"), known)] == []


def test_without_contracts_only_what_needs_none_is_found() -> None:
    wrong = TEXT.replace(CHARGE, CHARGE.replace("attempts: 0", "attempts: 1")).replace(
        GETS, GETS.replace("1s", "2s")
    )
    assert [each.code for each in found(wrong, Contracts())] == ["MW0702"]
