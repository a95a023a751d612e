"""Cases against a small mesh: each field of an expectation holds or fails by what a request meets."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mesh.explain.judge import answer
from mesh.explain.question import asked
from mesh.explain.scene import Scene, compiled
from mesh.link.link import link
from mesh.resources.object import parse
from mesh.suite.coverage import coverage
from mesh.suite.read import read
from mesh.suite.report import failure
from mesh.suite.run import Outcome, run

MESH = Path(__file__).parents[1] / "explain" / "mesh.yaml"
GET = "from: client, to: web, method: Get"


@cache
def scene() -> Scene:
    objects, _ = parse(MESH.read_text(), "mesh.yaml")
    return compiled(link(objects)[0])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "policies.yaml"


def outcomes(file: Path, *cases: str, only: str = "") -> list[Outcome]:
    file.write_text("cases:\n" + "".join(f"  - {{{case}}}\n" for case in cases))
    made, problems = read(file, "policies.yaml")
    assert problems == []
    assert made is not None
    return list(run([made], lambda question: answer(asked(question, scene()), scene()), only))


def fields(found: list[Outcome]) -> Iterator[tuple[str, str, str]]:
    return ((d.field, d.expected, d.got) for each in found for d in each.differences)


@pytest.mark.parametrize(
    ("expected", "other", "difference"),
    [
        ("verdict: allowed", "verdict: refused", ("verdict", "refused", "allowed")),
        (
            "by: client-to-web",
            "by: no rule",
            ("by", "no rule", "AuthorizationPolicy default/client-to-web rule 0"),
        ),
        ("by: default/client-to-web rule 0", "by: client-to-we", None),
        ("route: web get", "route: put", ("route", "put", "VirtualService default/web get")),
        ("route: get", "route: 'web http[2]'", None),
        (
            "shares: {web-v1: 80%, web-v2: 20}",
            "shares: {web-v1: 80%}",
            ("shares default/web-v2", "nothing", "20%"),
        ),
        ("shares: {default/web-v1: 80%, web-v2: 20%}", "shares: {web-v1: 100%}", None),
        ("mtls: true", "mtls: false", ("mtls", "false", "true to default/web-v1")),
        ("attempts: 3", "attempts: 2", ("attempts", "2", "3")),
        ("perTry: 1s", "perTry: 2s", ("perTry", "2s", "1s")),
        ("timeout: 3s", "timeout: 0s", ("timeout", "none", "3s")),
        ("sent: {path: /web.Web/Get}", "sent: {path: /}", None),
        (
            "sent: {headers: {Te: trailers}}",
            "sent: {headers: {x-a: b}}",
            ("sent header x-a", "b", "none to default/web-v1"),
        ),
    ],
)
def test_an_expectation_holds_or_says_what_came_instead(
    file: Path, expected: str, other: str, difference: tuple[str, str, str] | None
) -> None:
    assert list(fields(outcomes(file, f"{GET}, expect: {{{expected}}}"))) == []
    found = list(fields(outcomes(file, f"{GET}, expect: {{{other}}}")))
    assert found
    assert difference is None or found[0] == difference


def test_a_case_stands_for_every_combination(file: Path) -> None:
    found = outcomes(
        file, "name: both, from: [client, stranger], to: web, method: [Get, Put], expect: allowed"
    )
    assert [(each.name, each.passed) for each in found] == [
        ("both: client -> web Get", True),
        ("both: client -> web Put", True),
        ("both: stranger -> web Get", False),
        ("both: stranger -> web Put", False),
    ]


def test_only_what_is_asked_for_is_run(file: Path) -> None:
    found = outcomes(file, "from: [client, stranger], to: web, path: /, expect: allowed", only="stranger")
    assert [each.name for each in found] == ["stranger -> web GET /"]


def test_refused_and_unreachable_say_by_what(file: Path) -> None:
    found = outcomes(
        file,
        "from: client, to: web, path: /x, verb: delete, expect: {verdict: refused, by: no rule, status: 403}",
        "from: stranger, to: web, path: /, expect: {verdict: unreachable, by: Sidecar stranger}",
        "from: client, to: 'raw:9000', expect: {verdict: refused}",
    )
    assert list(fields(found)) == []


def test_a_failure_says_the_line_that_decided_and_what_explain_says(file: Path) -> None:
    text = "\n".join(failure(outcomes(file, f"{GET}, expect: refused")[0]))
    assert text.startswith(
        "FAILED  client -> web Get  policies.yaml:2\n  verdict: expected refused, got allowed\n"
    )
    assert "  decided by AuthorizationPolicy default/client-to-web rule 0  mesh.yaml:" in text
    assert "    ALLOWED  default/client -> web:80  POST /web.Web/Get\n" in text


def test_an_unknown_name_is_the_files_mistake(file: Path) -> None:
    (found,) = outcomes(file, "from: clint, to: web, method: Get, expect: allowed")
    assert not found.passed
    assert str(found.problem).startswith(
        "policies.yaml:2: MW0601 error there is no workload clint; did you mean client?"
    )


def test_what_no_test_touched_is_named_with_its_line(file: Path) -> None:
    found = outcomes(file, f"{GET}, expect: allowed")
    routes, rules = coverage(scene().mesh, [each.answer for each in found if each.answer])
    assert (routes.touched, routes.total) == (1, 3)
    assert [each.what for each in routes.untouched] == [
        "VirtualService default/web http[0]",
        "VirtualService default/web http[2]",
    ]
    assert all(each.at.startswith("mesh.yaml:") for each in routes.untouched)
    assert (rules.touched, rules.total) == (1, 1)
