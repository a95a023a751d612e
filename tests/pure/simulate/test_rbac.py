"""RBAC rules, each matcher: who, what, and both."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.rbac.v3.rbac_pb2 import RBAC, Permission, Policy, Principal

from mesh.simulate import rbac
from mesh.simulate.rbac import Seen
from mesh.simulate.request import Connection, Request

CLIENT = "spiffe://cluster.local/ns/a/sa/client"
SEEN = Seen(
    Connection("10.0.0.2", 80, "10.0.0.1", True, "web.local", (), CLIENT),
    Request("web", "/a/b?c", headers={"x": "1"}, verified={"iss": "me", "groups": ["one", "two"]}),
    "192.0.2.1",
)
PLAIN = Seen(Connection("10.0.0.2", 80, "10.0.0.1"), SEEN.request, "")
ANY = Permission(any=True)


def named(name: str) -> dict[str, Any]:
    return {"authenticated": {"principal_name": {"exact": name}}}


def claim(path: str, match: dict[str, Any]) -> dict[str, Any]:
    where = [{"key": "payload"}, {"key": path}]
    return {"metadata": {"filter": "envoy.filters.http.jwt_authn", "path": where, "value": match}}


def block(prefix: str, length: int) -> dict[str, Any]:
    return {"address_prefix": prefix, "prefix_len": {"value": length}}


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        (named(CLIENT), True),
        (named("spiffe://other"), False),
        ({"not_id": Principal(**named("spiffe://other"))}, True),
        ({"direct_remote_ip": block("10.0.0.0", 24)}, True),
        ({"remote_ip": block("10.0.0.0", 24)}, False),
        ({"remote_ip": block("192.0.2.1", 32)}, True),
        ({"header": {"name": "x", "string_match": {"exact": "1"}}}, True),
        (claim("iss", {"string_match": {"exact": "me"}}), True),
        (claim("groups", {"list_match": {"one_of": {"string_match": {"exact": "two"}}}}), True),
        (claim("sub", {"string_match": {"exact": "me"}}), False),
        ({"and_ids": {"ids": [Principal(any=True), Principal(**named("x"))]}}, False),
        ({"or_ids": {"ids": [Principal(any=True), Principal(**named("x"))]}}, True),
    ],
)
def test_a_caller_is_matched(given: dict[str, Any], matched: bool) -> None:
    assert rbac.principal(Principal(**given), SEEN) is matched


def test_who_shows_no_certificate_is_nobody() -> None:
    assert not rbac.principal(Principal(**named(CLIENT)), PLAIN)
    assert not rbac.principal(Principal(authenticated={}), PLAIN)


@pytest.mark.parametrize(
    ("given", "matched"),
    [
        ({"url_path": {"path": {"exact": "/a/b"}}}, True),
        ({"url_path": {"path": {"exact": "/a/b?c"}}}, False),
        ({"destination_port": 80}, True),
        ({"destination_ip": block("10.0.0.2", 32)}, True),
        ({"requested_server_name": {"exact": "web.local"}}, True),
        ({"header": {"name": ":method", "string_match": {"exact": "POST"}}}, True),
        ({"not_rule": Permission(destination_port=80)}, False),
        ({"and_rules": {"rules": [ANY, Permission(destination_port=81)]}}, False),
        ({"or_rules": {"rules": [ANY, Permission(destination_port=81)]}}, True),
    ],
)
def test_an_operation_is_matched(given: dict[str, Any], matched: bool) -> None:
    assert rbac.permission(Permission(**given), SEEN) is matched


@pytest.mark.parametrize(
    ("action", "matching", "passed"),
    [
        ("ALLOW", True, True),
        ("ALLOW", False, False),
        ("DENY", True, False),
        ("DENY", False, True),
        ("LOG", False, True),
    ],
)
def test_an_action_lets_pass_or_not(action: str, matching: bool, passed: bool) -> None:
    who = Principal(**named(CLIENT if matching else "spiffe://other"))
    rules = RBAC(action=action, policies={"p": Policy(permissions=[ANY], principals=[who])})
    found = rbac.check(rules, SEEN)
    assert found.passed is passed
    assert (found.rules[0].caller, found.rules[0].request) == (matching, True)
