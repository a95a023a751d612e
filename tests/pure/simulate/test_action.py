"""What routes make of requests: paths, hosts and headers rewritten, redirects, shares, times."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, VirtualHost
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

from mesh.simulate import action, paths, redirect
from mesh.simulate.request import Request

REQUEST = Request("shop:80", "/old/item?q=1", headers={"x": "1"})


def sent(**route: Any) -> Request:
    return action.forwarded(REQUEST, Route(**route), None, VirtualHost())


def test_a_prefix_and_a_host_are_rewritten() -> None:
    found = sent(match={"prefix": "/old"}, route={"prefix_rewrite": "/new", "host_rewrite_literal": "other"})
    assert (found.path, found.authority) == ("/new/item?q=1", "other")


def test_a_path_is_rewritten_by_an_expression() -> None:
    pattern = {"pattern": {"regex": "/old/(.*)"}, "substitution": r"/\1/new"}
    assert sent(match={"prefix": "/"}, route={"regex_rewrite": pattern}).path == "/item/new?q=1"


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ("APPEND_IF_EXISTS_OR_ADD", "1,2"),
        ("OVERWRITE_IF_EXISTS_OR_ADD", "2"),
        ("ADD_IF_ABSENT", "1"),
    ],
)
def test_headers_are_added_as_is_said(how: str, value: str) -> None:
    option = {"header": {"key": "X", "value": "2"}, "append_action": how}
    assert sent(match={"prefix": "/"}, route={}, request_headers_to_add=[option]).headers == {"x": value}


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        ("%REQ(x)%/%REQ(:path)%", {"x": "1", "y": "1//old/item?q=1"}),
        ("%REQ(gone?x)%", {"x": "1", "y": "1"}),
        ("%REQ(:AUTHORITY):4%", {"x": "1", "y": "shop"}),
        ("100%%", {"x": "1", "y": "100%"}),
        ("%REQ(gone)%", {"x": "1"}),
    ],
)
def test_a_headers_value_may_be_another_header(value: str, headers: dict[str, str]) -> None:
    option = {"header": {"key": "y", "value": value}}
    assert sent(match={"prefix": "/"}, route={}, request_headers_to_add=[option]).headers == headers


def test_headers_are_removed() -> None:
    assert sent(match={"prefix": "/"}, route={}, request_headers_to_remove=["X"]).headers == {}


def test_no_weight_is_no_share() -> None:
    weights = [{"name": "a", "weight": {"value": 30}}, {"name": "b", "weight": {"value": 0}}]
    weights.append({"name": "c", "weight": {"value": 10}})
    found = action.shares(RouteAction(weighted_clusters={"clusters": weights}))
    assert [(share, name) for share, name, _ in found] == [(0.75, "a"), (0.25, "c")]


def test_a_timeout_of_nothing_is_fifteen_seconds_and_of_zero_none() -> None:
    assert action.timeout(RouteAction(), grpc=False) == 15.0
    assert action.timeout(RouteAction(timeout={}), grpc=False) is None


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"https_redirect": True}, "https://shop/old/item?q=1"),
        ({"host_redirect": "other", "port_redirect": 8080}, "http://other:8080/old/item?q=1"),
        ({"path_redirect": "/new"}, "http://shop:80/new?q=1"),
        ({"prefix_rewrite": "/new"}, "http://shop:80/new/item?q=1"),
    ],
)
def test_a_redirect_says_where(given: dict[str, Any], where: str) -> None:
    assert redirect.location(Route(match={"prefix": "/old"}, redirect=given), REQUEST) == where


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("/a/./b/../c?d=/../e", "/a/c?d=/../e"),
        ("/a//b", "/a/b"),
        ("/%61%2fb", "/a/b"),
        ("/a/..", "/"),
        ("/..", "/"),
    ],
)
def test_a_path_is_made_canonical_first(path: str, normal: str) -> None:
    manager = HttpConnectionManager(
        normalize_path={"value": True},
        merge_slashes=True,
        path_with_escaped_slashes_action=HttpConnectionManager.UNESCAPE_AND_FORWARD,
    )
    assert paths.normal(manager, path) == normal
