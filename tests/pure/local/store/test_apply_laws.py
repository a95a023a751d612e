"""Server-side apply, whatever is applied: laws that hold for every configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.local.store import Object, key, kind
from mesh.local.store.draft import Draft, Stamp
from mesh.local.store.write import apply, update

WHERE = key(kind("VirtualService"), "shop", "catalog")
NAMES = st.sampled_from(["a", "b", "c"])
JSON = st.recursive(
    st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SPECS = st.dictionaries(NAMES, JSON, max_size=3)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES}, optional={"image": st.sampled_from(["1", "2"]), "args": st.just(["x"])}
    ),
    unique_by=lambda container: container["name"],
    min_size=1,
)


def draft() -> Draft:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    begun = {key(kind("Namespace"), "", "shop"): space}
    return Draft(begun, Stamp(datetime(2026, 11, 23, tzinfo=UTC), lambda: "1", "kubectl-edit"))


def configured(spec: Any) -> Object:
    found = {"name": "catalog", "namespace": "shop"}
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": found, "spec": spec}


def deployed(containers: Any) -> Object:
    found = {"name": "catalog", "namespace": "shop"}
    spec = {"selector": {}, "template": {"spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": found, "spec": spec}


@settings(deadline=None)
@given(SPECS, SPECS)
def test_the_last_configuration_of_an_only_manager_is_what_there_is(first: Any, second: Any) -> None:
    state = draft()
    for spec in (first, second):
        apply(state, WHERE, configured(spec), "mesh", False)
    assert state.need(WHERE).get("spec", {}) == second
    assert apply(state, WHERE, configured(second), "mesh", False) is state.need(WHERE)


@settings(deadline=None)
@given(SPECS, SPECS, SPECS)
def test_a_forced_apply_holds_and_what_others_set_beside_it_stays(mine: Any, edited: Any, again: Any) -> None:
    state = draft()
    apply(state, WHERE, configured({"mine": mine}), "mesh", False)
    made = state.need(WHERE)
    update(state, WHERE, {**made, "spec": {**made["spec"], "theirs": edited}})
    apply(state, WHERE, configured({"mine": again}), "mesh", True)
    assert state.need(WHERE)["spec"] == {"mine": again, "theirs": edited}


@settings(deadline=None)
@given(CONTAINERS, CONTAINERS)
def test_items_of_keyed_lists_follow_the_configuration(first: Any, second: Any) -> None:
    state, where = draft(), key(kind("Deployment"), "shop", "catalog")
    for containers in (first, second):
        apply(state, where, deployed(containers), "mesh", False)
    kept = state.need(where)["spec"]["template"]["spec"]["containers"]
    assert kept == second
