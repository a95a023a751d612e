"""Patches: JSON (RFC 6902), merge (RFC 7386) and strategic."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.local.store.jsonpatch import json_patch, merge_patch
from mesh.local.store.refusal import Refused
from mesh.local.store.strategic import strategic_patch

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab~/", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_follows_the_examples_of_the_rfc(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


@pytest.mark.parametrize(
    ("target", "operations", "result"),
    [
        ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/0", "value": "qux"}], {"foo": ["qux", "bar"]}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["a"]}], {"foo": ["bar", ["a"]]}),
        ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/1", "value": "a"}], {"foo": ["bar", "a"]}),
        ({"foo": ["a", "b"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["a"]}),
        ({"a": 1}, [{"op": "replace", "path": "/a", "value": None}], {"a": None}),
        ({"a": 1}, [{"op": "replace", "path": "", "value": 2}], 2),
        (
            {"a": {"b": 1}, "c": {}},
            [{"op": "move", "from": "/a/b", "path": "/c/d"}],
            {"a": {}, "c": {"d": 1}},
        ),
        ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a/b": 1, "~": 2}, [{"op": "remove", "path": "/a~1b"}, {"op": "remove", "path": "/~0"}], {}),
        ({"a": 1}, [{"op": "test", "path": "/a", "value": 1}], {"a": 1}),
    ],
)
def test_json_patch_follows_the_rfc(target: Any, operations: Any, result: Any) -> None:
    before = deepcopy(target)
    assert json_patch(target, operations) == result
    assert target == before


@pytest.mark.parametrize(
    ("operations", "code", "told"),
    [
        ({"op": "add"}, 400, "list of operations"),
        ([{"op": "add"}], 400, "path"),
        ([{"op": "add", "path": "/a"}], 400, "needs 'value'"),
        ([{"op": "jump", "path": "/a"}], 400, "unknown"),
        ([{"op": "add", "path": "a", "value": 1}], 400, "slash"),
        ([{"op": "test", "path": "/a", "value": 2}], 422, "testing value /a failed"),
        ([{"op": "remove", "path": "/b"}], 422, "/b does not exist"),
        ([{"op": "replace", "path": "/b/c", "value": 1}], 422, "does not exist"),
        ([{"op": "add", "path": "/list/3", "value": 1}], 422, "not an index of a list of 1"),
        ([{"op": "add", "path": "/a/b", "value": 1}], 422, "neither an object nor a list"),
    ],
)
def test_a_json_patch_that_does_not_fit_says_why(operations: Any, code: int, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        json_patch({"a": 1, "list": [0]}, operations)
    assert refused.value.code == code


@given(VALUES, VALUES)
def test_a_merge_patch_never_changes_what_it_is_given_and_is_idempotent(target: Any, patch: Any) -> None:
    before = deepcopy(target)
    once = merge_patch(target, patch)
    assert target == before
    assert merge_patch(once, patch) == once


CONTAINERS = {
    "spec": {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        (
            {"spec": {"containers": [{"name": "a", "image": "2"}]}},
            [{"name": "a", "image": "2", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}],
        ),
        (
            {"spec": {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}]}]}},
            [
                {
                    "name": "a",
                    "image": "1",
                    "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
                },
                {"name": "b"},
            ],
        ),
        ({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}, [{"name": "b"}]),
        ({"spec": {"containers": [{"$patch": "replace"}, {"name": "c"}]}}, [{"name": "c"}]),
        (
            {
                "spec": {
                    "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}, {"name": "a"}],
                    "containers": [{"name": "c"}, {"name": "a", "image": None, "env": None}],
                }
            },
            [{"name": "c"}, {"name": "b"}, {"name": "a"}],
        ),
    ],
)
def test_strategic_merge_knows_which_lists_are_maps(patch: Any, result: Any) -> None:
    before = deepcopy(CONTAINERS)
    assert strategic_patch(CONTAINERS, patch)["spec"]["containers"] == result
    assert before == CONTAINERS


def test_strategic_merge_replaces_other_lists_and_merges_sets() -> None:
    target = {"metadata": {"finalizers": ["a", "b"]}, "spec": {"args": ["1", "2"]}}
    patch = {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]},
        "spec": {"args": ["3"]},
    }
    expected = {"metadata": {"finalizers": ["b", "c"]}, "spec": {"args": ["3"]}}
    assert strategic_patch(target, patch) == expected


def test_ports_are_told_apart_by_number_and_protocol() -> None:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    patch = {"spec": {"ports": [{"port": 53, "protocol": "TCP", "targetPort": 5353}]}}
    assert strategic_patch({"spec": {"ports": ports}}, patch)["spec"]["ports"] == [
        ports[0],
        {**ports[1], "targetPort": 5353},
    ]


def test_retain_keys_drops_what_it_does_not_name() -> None:
    target = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    patch = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert strategic_patch(target, patch) == {"strategy": {"type": "Recreate"}}


def test_a_map_can_be_replaced_or_emptied() -> None:
    assert strategic_patch({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}) == {"a": {"c": 2}}
    assert strategic_patch({"a": {"b": 1}}, {"a": {"$patch": "delete"}}) == {"a": {}}
