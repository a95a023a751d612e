"""Virtual hosts by name and routes in their order, as Envoy takes them."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.route.v3.route_components_pb2 import RouteMatch, VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.simulate import route
from mesh.simulate.request import Request


def host(*domains: str) -> VirtualHost:
    return VirtualHost(name=domains[0], domains=domains)


HOSTS = RouteConfiguration(
    virtual_hosts=[host("*"), host("*.example"), host("*.b.example"), host("a.*"), host("a.b.example")],
    ignore_port_in_host_matching=True,
)


@pytest.mark.parametrize(
    ("authority", "taken"),
    [
        ("a.b.example", "a.b.example"),
        ("A.B.example:80", "a.b.example"),
        ("x.b.example", "*.b.example"),
        ("x.c.example", "*.example"),
        ("a.c.example", "*.example"),
        ("a.c", "a.*"),
        (".example", "*"),
        ("other", "*"),
    ],
)
def test_the_most_exact_name_wins(authority: str, taken: str) -> None:
    found = route.virtual_host(HOSTS, authority)
    assert found is not None
    assert found.name == taken


def test_without_a_name_for_all_there_is_none() -> None:
    assert route.virtual_host(RouteConfiguration(virtual_hosts=[host("a")]), "b") is None


def header(**given: Any) -> RouteMatch:
    return RouteMatch(prefix="/", headers=[{"name": "x", **given}])


A = {"string_match": {"exact": "a"}}


@pytest.mark.parametrize(
    ("match", "takes", "leaves"),
    [
        (RouteMatch(prefix="/shop"), "/shopping?x=1", "/sho"),
        (RouteMatch(path="/shop"), "/shop?x=1", "/shop/"),
        (RouteMatch(prefix="/SHOP", case_sensitive={"value": False}), "/shop/1", "/other"),
        (RouteMatch(safe_regex={"regex": "/s.*p"}), "/shop", "/shops"),
        (RouteMatch(path_separated_prefix="/shop"), "/shop/1", "/shopping"),
        (RouteMatch(prefix="/", query_parameters=[{"name": "q", "present_match": True}]), "/?q", "/?p=1"),
        (RouteMatch(prefix="/", query_parameters=[{"name": "q", **A}]), "/?q=a&q=b", "/?q=b&q=a"),
    ],
)
def test_a_path_is_taken_or_left(match: RouteMatch, takes: str, leaves: str) -> None:
    hosts = VirtualHost(routes=[{"match": match}])
    assert route.chosen(hosts, Request("h", takes))[0] == 0
    assert route.chosen(hosts, Request("h", leaves))[0] is None


@pytest.mark.parametrize(
    ("match", "without", "with_a", "with_b"),
    [
        (header(**A), False, True, False),
        (header(present_match=True), False, True, True),
        (header(present_match=True, invert_match=True), True, False, False),
        (header(**A, invert_match=True), False, False, True),
        (header(**A, invert_match=True, treat_missing_header_as_empty=True), True, False, True),
        (header(string_match={"prefix": "A", "ignore_case": True}), False, True, False),
    ],
)
def test_a_header_is_asked_for(match: RouteMatch, without: bool, with_a: bool, with_b: bool) -> None:
    hosts = VirtualHost(routes=[{"match": match}])
    found = [
        route.chosen(hosts, Request("h", "/", headers=headers))[0] == 0
        for headers in ({}, {"x": "a"}, {"x": "b"})
    ]
    assert found == [without, with_a, with_b]


def test_the_first_route_that_takes_a_request_is_taken_and_the_others_say_why() -> None:
    routes = [{"name": "one", "match": {"path": "/one"}}, {"name": "rest", "match": {"prefix": "/"}}]
    index, passed = route.chosen(VirtualHost(routes=routes), Request("h", "/two"))
    assert index == 1
    assert [(each.name, each.why) for each in passed] == [("one", "path /one")]
