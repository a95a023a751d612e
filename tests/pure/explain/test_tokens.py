"""What is said of requests with a token, and without."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mesh.explain.answer import Answer, Verdict
from mesh.explain.judge import answer
from mesh.explain.question import Question, asked
from mesh.explain.scene import Scene, compiled
from mesh.link.link import link
from mesh.resources.object import parse

FILE = Path(__file__).with_name("tokens.yaml")


@cache
def scene() -> Scene:
    objects, problems = parse(FILE.read_text(), "tokens.yaml")
    assert problems == []
    return compiled(link(objects)[0])


def line(text: str) -> str:
    """Where a text stands in the mesh."""
    number = next(i for i, each in enumerate(FILE.read_text().splitlines(), 1) if text in each)
    return f"tokens.yaml:{number}"


def with_token(**claims: Any) -> Answer:
    question = Question("client", "account", path="/", claims=claims or None)
    return answer(asked(question, scene()), scene())


def test_a_token_is_judged_by_the_line_of_its_issuer() -> None:
    found = with_token(iss="users", sub="ada", aud="account", scope="read write")
    assert found.verdict is Verdict.ALLOWED
    (destination,) = found.destinations
    assert [each.at for each in destination.by] == [
        line("{issuer: users"),
        line('requestPrincipals: ["users/*"]'),
    ]


@pytest.mark.parametrize(
    ("claims", "status", "reason"),
    [
        ({}, 403, "no rule allows it"),
        ({"iss": "users", "sub": "ada", "aud": "account", "scope": "write"}, 403, "no rule allows it"),
        ({"iss": "users", "sub": "ada", "aud": "bank"}, 403, "Audiences in Jwt are not allowed"),
        ({"iss": "others", "sub": "ada"}, 401, "Jwt issuer is not configured"),
    ],
)
def test_a_token_that_is_not_enough_is_refused_with_its_status(
    claims: dict[str, str], status: int, reason: str
) -> None:
    found = with_token(**claims)
    assert (found.verdict, found.status, found.reason) == (Verdict.REFUSED, status, reason)


@pytest.mark.parametrize(("path", "unread"), [("/admin", ("envoy.filters.http.ext_authz",)), ("/open", ())])
def test_a_service_that_is_asked_may_change_the_answer(path: str, unread: tuple[str, ...]) -> None:
    found = answer(asked(Question("client", "asked", path=path), scene()), scene())
    assert (found.verdict, found.unread) == (Verdict.ALLOWED, unread)
