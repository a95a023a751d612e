"""Fault headers: what each asks for, and of whom."""

import pytest
from grpc import StatusCode

from services.kit.errors import InvalidRequest
from services.kit.fault import Fault, chosen, parse


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fail=2", Fault(fails=2)),
        ("delay=2s", Fault(delay=2.0)),
        ("delay=250ms", Fault(delay=0.25)),
        ("delay=1.5s; fail=1", Fault(delay=1.5, fails=1)),
        ("hang", Fault(hang=True)),
        ("hang;when=after;method=Charge", Fault(hang=True, after=True, method="Charge")),
        ("code=NOT_FOUND;pod=catalog-0", Fault(code=StatusCode.NOT_FOUND, pod="catalog-0")),
        ("fail=9;version=v2", Fault(fails=9, version="v2")),
    ],
)
def test_a_fault_says_what_to_do(text: str, fault: Fault) -> None:
    assert parse(text, "x-fault-catalog") == fault


@pytest.mark.parametrize(
    "text", ["fial=2", "fail=two", "code=BROKEN", "delay=2", "hang=1", "when=later", "pod="]
)
def test_a_misspelt_fault_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="x-fault-catalog: does not understand") as refused:
        parse(text, "x-fault-catalog")
    assert refused.value.violations[0].field == "x-fault-catalog"


@pytest.mark.parametrize(
    ("selector", "mine"),
    [
        ("", True),
        (";method=GetProduct", True),
        (";method=ListProducts", False),
        (";pod=catalog-0", True),
        (";pod=catalog-1", False),
        (";version=v2;pod=catalog-0", True),
        (";version=v1", False),
    ],
)
def test_a_fault_hits_only_whom_it_names(selector: str, mine: bool) -> None:
    headers = {"x-fault-catalog": "hang" + selector}
    assert bool(chosen(headers, "catalog", "GetProduct", "catalog-0", "v2")) is mine


def test_the_fault_of_another_service_is_not_ours() -> None:
    assert chosen({"x-fault-payments": "hang"}, "catalog", "GetProduct", "catalog-0", "v1") is None
