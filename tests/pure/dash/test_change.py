from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from mesh.dash.editing import put_back, text, weighted
from mesh.dash.malformed import Malformed
from mesh.dash.sources import Sources
from tests.pages.recorded import Objects, shop
from tests.pages.served import Answer, Served, served

NAME = {"kind": "VirtualService", "namespace": "shop", "name": "catalog"}
ASKED = "kind=VirtualService&namespace=shop&name=catalog"


@pytest.fixture
def objects() -> Objects:
    return shop()[0]


@pytest.fixture
def dash(objects: Objects) -> Iterator[Served]:
    with served(Sources("test", objects, shop()[1])) as found:
        yield found.enter()


def rule(dash: Served) -> Any:
    return dash.ask(f"/api/rule?{ASKED}").json


def check(dash: Served, given: str, **more: Any) -> Answer:
    return dash.ask("/api/check", {**NAME, "text": given, **more})


def test_what_the_api_adds_is_not_shown_and_comes_back(objects: Objects) -> None:
    before = objects.get("VirtualService", "shop", "catalog")
    before["metadata"] |= {
        "annotations": {"meshwright.dev/rendered": "abc", "mine": "1"},
        "managedFields": [],
    }
    shown = yaml.safe_load(text(before))
    assert set(shown) == {"apiVersion", "kind", "metadata", "spec"}
    assert shown["metadata"] == {"name": "catalog", "namespace": "shop", "annotations": {"mine": "1"}}
    back = put_back(shown, before)
    assert back["metadata"]["annotations"] == {"meshwright.dev/rendered": "abc", "mine": "1"}
    assert back["metadata"]["uid"] == before["metadata"]["uid"]


def test_weights_change_in_place_and_comments_stay() -> None:
    given = "spec:\n  http:\n  - route:  # of all\n    - destination: {host: a}\n      weight: 90  # most\n    - destination: {host: b}\n      weight: 10\n"
    found = weighted(given, 0, [50, 50])
    assert "# of all" in found
    assert "weight: 50  # most" in found
    with pytest.raises(Malformed, match="has 2 places"):
        weighted(given, 0, [100])
    with pytest.raises(Malformed, match="no such route"):
        weighted(given, 7, [50, 50])


def test_a_finding_has_its_line_and_what_other_objects_say_because_of_it(dash: Served) -> None:
    given = rule(dash)["text"]
    found = check(dash, given.replace("subset: v2", "subset: v3")).json["findings"]
    assert [each["line"] for each in found] == [1 + given[: given.index("subset: v2")].count("\n")]
    assert "v3" in found[0]["message"]
    assert check(dash, given).json["findings"] == []


def test_weights_are_checked_as_they_are_moved(dash: Served) -> None:
    found = check(dash, rule(dash)["text"], route=0, weights=[30, 70]).json
    assert [each["weight"] for each in found["routes"][0]["places"]] == [30, 70]
    assert found["changed"]
    assert found["findings"] == []


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("a: [", "this is no YAML"),
        ("a: 1\n---\nb: 2", "this must be one object"),
        (
            "kind: Secret\nmetadata: {name: catalog, namespace: shop}",
            "this edits VirtualService shop/catalog",
        ),
        (
            "kind: VirtualService\nmetadata: {name: other, namespace: shop}\nspec: {}",
            "this edits VirtualService shop/catalog",
        ),
    ],
)
def test_another_object_is_no_edit_of_this_one(
    dash: Served, objects: Objects, given: str, wrong: str
) -> None:
    assert wrong in check(dash, given).json["findings"][0]["message"]
    answer = dash.ask("/api/apply", {**NAME, "text": given, "version": "1"})
    assert (answer.status, wrong in answer.json["error"]) == (400, True)
    assert objects.get("VirtualService", "shop", "catalog")["metadata"]["resourceVersion"] == "1"


def test_an_older_version_is_refused(dash: Served) -> None:
    given = rule(dash)
    assert dash.ask("/api/apply", {**NAME, "text": given["text"], "version": given["version"]}).status == 200
    assert dash.ask("/api/apply", {**NAME, "text": given["text"], "version": given["version"]}).status == 409


@pytest.mark.parametrize("body", ["", "[]", '"a"', "{", "[" * 100_000])
def test_a_body_that_is_no_object_is_refused(dash: Served, body: str) -> None:
    assert dash.ask("/api/apply", body or " ").status == 400


def test_a_body_without_end_is_refused(dash: Served) -> None:
    assert dash.ask("/api/check", " " * 1_100_000).status == 413


def test_only_routing_rules_are_written(dash: Served) -> None:
    pod = {
        "kind": "Pod",
        "namespace": "shop",
        "name": "orders-abc12",
        "text": "kind: Pod\nmetadata: {name: orders-abc12, namespace: shop}\nspec: {}",
    }
    assert "does not write a Pod" in dash.ask("/api/apply", pod).json["error"]
    assert dash.ask("/api/apply", {**pod, "kind": "Secret"}).status == 400
    assert dash.ask("/api/rule?kind=VirtualService&namespace=..&name=catalog").status == 400


def test_shares_are_asked_of_names_only(dash: Served) -> None:
    found = dash.ask("/api/shares?namespace=shop&service=catalog").json
    assert {each["name"]: each["configured"] for each in found["workloads"]} == {
        "catalog-v1": 0.9,
        "catalog-v2": 0.1,
    }
    assert dash.ask("/api/shares?namespace=shop&service=a%22%7D").status == 400
