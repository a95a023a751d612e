from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.dash.sources import Sources
from tests.pages.recorded import shop
from tests.pages.served import Served, served


@pytest.fixture
def dash() -> Iterator[Served]:
    with served(Sources("test", *shop())) as found:
        yield found


def test_nothing_is_told_to_who_has_no_token(dash: Served) -> None:
    assert dash.ask("/api/graph").status == 401
    assert dash.ask("/?token=guessed").status == 403
    assert dash.ask("/api/graph", Cookie=f"mesh-dash-{dash.port}=guessed").status == 401


def test_the_link_lets_one_browser_in_and_there_is_another_then(dash: Served) -> None:
    first = dash.links[0].partition(str(dash.port))[2]
    assert dash.enter().ask("/api/about").json["name"] == "test"
    assert dash.ask(first).status == 403
    assert len(dash.links) == 2
    assert dash.links[1] != dash.links[0]


def test_the_cookie_is_for_this_page_only(dash: Served) -> None:
    said = dash.ask(dash.links[0].partition(str(dash.port))[2]).headers["set-cookie"]
    assert said.startswith(f"mesh-dash-{dash.port}=")
    assert "HttpOnly" in said
    assert "SameSite=strict" in said


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:80", "[::1]:{port}"]
)
def test_a_name_that_was_bound_to_this_address_gets_nothing(dash: Served, host: str) -> None:
    for path in ("/", "/api/graph", "/app.js"):
        assert dash.ask(path, Host=host.format(port=dash.port)).status == 403


@pytest.mark.parametrize(
    ("origin", "media"),
    [
        ("http://evil.example", "application/json"),
        ("null", "application/json"),
        ("", "application/json"),
        ("http://127.0.0.1:4712", "application/json"),
        ("http://127.0.0.1:{port}", "text/plain"),
        ("http://127.0.0.1:{port}", "application/x-www-form-urlencoded"),
    ],
)
def test_no_other_page_can_change_anything(dash: Served, origin: str, media: str) -> None:
    headers = {"Origin": origin.format(port=dash.port), "Content-Type": media}
    assert dash.enter().ask("/api/about", "{}", **headers).status == 403


def test_the_page_loads_nothing_from_elsewhere_and_nobody_frames_it(dash: Served) -> None:
    answer = dash.ask("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("asked", ["at=NaN", "at=yesterday", "window=-5", "window=inf"])
def test_a_question_that_makes_no_sense_is_refused(dash: Served, asked: str) -> None:
    answer = dash.enter().ask(f"/api/graph?{asked}")
    assert answer.status == 400
    assert "no number above 0" in answer.json["error"]
