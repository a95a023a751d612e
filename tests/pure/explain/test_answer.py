"""What is said of requests in a small mesh: allowed or not, by which line, where they go and what happens when that fails."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from mesh.explain.answer import Answer, Verdict
from mesh.explain.judge import answer
from mesh.explain.nearest import Unknown
from mesh.explain.question import Question, asked
from mesh.explain.scene import Scene, compiled
from mesh.explain.words import lines
from mesh.link.link import link
from mesh.resources.object import parse

FILE = Path(__file__).with_name("mesh.yaml")


@cache
def scene() -> Scene:
    objects, problems = parse(FILE.read_text(), "mesh.yaml")
    assert problems == []
    return compiled(link(objects)[0])


def explain(
    source: str, to: str, method: str = "", headers: Mapping[str, str] | None = None, path: str = ""
) -> Answer:
    return answer(asked(Question(source, to, method, path, headers=headers or {}), scene()), scene())


def line(text: str) -> str:
    """Where a text stands in the mesh."""
    number = next(i for i, each in enumerate(FILE.read_text().splitlines(), 1) if text in each)
    return f"mesh.yaml:{number}"


def test_an_allowed_call_names_the_rule_the_route_and_their_lines() -> None:
    found = explain("client", "web:80", "/web.Web/Get")
    assert found.verdict is Verdict.ALLOWED
    assert {each.at for d in found.destinations for each in d.by} == {line("- from: [{source")}
    assert found.route is not None
    assert found.route.what == "VirtualService default/web get"
    assert found.route.at == line("- name: get")


def test_shares_are_those_of_the_weights() -> None:
    found = explain("client", "web", "Get").destinations
    assert [(d.workload, d.subset, round(d.share, 6), d.endpoints, d.mutual) for d in found] == [
        ("default/web-v1", "v1", 0.8, 1, True),
        ("default/web-v2", "v2", 0.2, 2, True),
    ]


def test_what_happens_when_a_call_fails_is_said() -> None:
    found = explain("client", "web", "Get")
    assert found.retries is not None
    assert (found.retries.attempts, found.retries.on, found.retries.each) == (3, "unavailable", 1.0)
    assert found.timeout == 3.0
    (destination, _) = found.destinations
    assert destination.outlier is not None
    assert (destination.outlier.errors, destination.outlier.seconds) == (3, 10.0)
    assert destination.limits.requests == 7
    assert explain("client", "web", "Put").retries is None


def test_an_unnamed_route_is_found_by_what_it_matches() -> None:
    found = explain("client", "web", "Put", {"x-version": "v2"})
    assert found.route is not None
    assert found.route.at == line("- match: [{headers")
    assert found.fault is not None
    assert (found.fault.delayed, found.fault.delay) == (0.25, 2.0)
    assert [d.workload for d in found.destinations] == ["default/web-v2"]


def test_routes_before_the_one_that_was_taken_say_what_they_ask_for() -> None:
    assert explain("client", "web", "Put").passed == (
        ("", "header x-version v2"),
        ("get", "path /web.Web/Get"),
    )


def test_a_method_that_no_rule_allows_is_refused_and_the_nearest_rule_is_named() -> None:
    found = explain("client", "web", "/web.Web/Drop")
    assert (found.verdict, found.status, found.reason) == (Verdict.REFUSED, 403, "no rule allows it")
    (near,) = found.destinations[0].near
    assert near.caller
    assert near.wanted == "path /web.Web/Get or /web.Web/Put"
    assert near.rule.at == line("- from: [{source")


def test_a_caller_that_no_rule_allows_is_refused() -> None:
    found = explain("web-v1", "web", "Get")
    assert found.verdict is Verdict.REFUSED
    (near,) = found.destinations[0].near
    assert not near.caller
    assert near.wanted == "caller cluster.local/ns/default/sa/client"


def test_what_a_sidecar_leaves_out_is_unreachable_by_its_line() -> None:
    found = explain("stranger", "web", "Get")
    assert found.verdict is Verdict.UNREACHABLE
    assert found.hint is not None
    assert (found.hint.what, found.hint.at) == ("Sidecar default/stranger", line("egress:"))


def test_bytes_are_allowed_or_refused_as_connections() -> None:
    found = explain("client", "raw")
    assert (found.verdict, found.status, found.routed) == (Verdict.REFUSED, 0, False)


def test_a_method_that_nobody_names_is_doubted() -> None:
    assert explain("client", "web", "/web.Web/Gett").note.endswith("did you mean /web.Web/Get?")


def test_each_line_has_its_place() -> None:
    text = [f"{each.label}|{each.text}|{each.at}" for each in lines(explain("client", "web", "Get"))]
    assert f"route|VirtualService default/web get|{line('- name: get')}" in text
    assert "fails|3 attempts of 1 s on unavailable; 3 s in all|" in text


@pytest.mark.parametrize(
    ("source", "to", "method", "said"),
    [
        ("clint", "web", "Get", "there is no workload clint; did you mean client?"),
        ("client", "wob", "Get", "there is no host wob; did you mean web?"),
        ("client", "web:81", "Get", "web.default.svc.cluster.local has no port 81; it has: 80 (grpc)"),
        ("client", "web", "Gte", "there is no method Gte; did you mean Get?"),
        ("client", "web", "", "say which --method"),
        ("client", ":80", "Get", "is not HOST:PORT"),
        ("client", "web.elsewhere.example", "/a/b", "say web.elsewhere.example:PORT"),
    ],
)
def test_a_name_that_is_not_there_is_said_with_the_nearest(
    source: str, to: str, method: str, said: str
) -> None:
    with pytest.raises(Unknown) as raised:
        explain(source, to, method)
    assert said in str(raised.value)
