"""Host names with a leading ``*``: the table is istiod's own (pkg/config/host/name.go)."""

from __future__ import annotations

import pytest

from mesh.compile.hosts import in_namespace, intersection, matches, most_specific, subset


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("foo.com", "foo.com", True),
        ("foo.com", "bar.com", False),
        ("*.com", "foo.com", True),
        ("bar.com", "*.com", True),
        ("*.foo.com", "foo.com", False),
        ("*", "foo.com", True),
        ("*", "*.com", True),
        ("*.foo.com", "*.bar.com", False),
    ],
)
def test_two_hosts_match_when_one_covers_the_other(a: str, b: str, expected: bool) -> None:
    assert matches(a, b) is expected
    assert matches(b, a) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("foo.com", "*.com", True),
        ("*.com", "foo.com", False),
        ("*.foo.com", "*.com", True),
        ("*.com", "*.foo.com", False),
        ("*.foo.com", "*", True),
        ("foo.com", "foo.com", True),
    ],
)
def test_a_host_is_a_subset_of_what_covers_it(a: str, b: str, expected: bool) -> None:
    assert subset(a, b) is expected


def test_the_longest_suffix_is_the_most_specific() -> None:
    rules = {"*": 1, "*.local": 2, "*.shop.local": 3, "a.shop.local": 4}
    assert most_specific("a.shop.local", rules) == 4
    assert most_specific("b.shop.local", rules) == 3
    assert most_specific("b.local", rules) == 2
    assert most_specific("example", {"*.local": 2}) is None


def test_an_intersection_has_the_narrower_of_each_pair() -> None:
    assert intersection(["foo.com", "*.net"], ["*.com", "bar.net"]) == ["foo.com", "bar.net"]
    assert intersection(["foo.com"], ["bar.com"]) == []


def test_a_gateways_hosts_are_those_that_a_namespace_may_use() -> None:
    hosts = ["foo.com", "ns1/a.com", "*/b.com", "ns2/c.com"]
    assert in_namespace(hosts, "ns1") == ["foo.com", "a.com", "b.com"]
