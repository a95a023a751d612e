"""What a Deployment asks for next: no pod too few while a rollout goes on, and one too many at most."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.local.deployment import HASH_LABEL, Step, ready, reconcile, template_hash

Object = dict[str, Any]
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def deployment(replicas: int, image: str = "web:1") -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u-1", "generation": 4},
        "spec": {
            "replicas": replicas,
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    }


def pods(of: Object, *states: bool) -> list[Object]:
    """One for each state, True for ready."""
    labels = {HASH_LABEL: template_hash(of)}
    return [
        {
            "metadata": {"name": f"web-{labels[HASH_LABEL]}-{i}", "labels": labels},
            "status": READY if r else {},
        }
        for i, r in enumerate(states)
    ]


def step(wanted: Object, *have: list[Object]) -> Step:
    names = (f"n{i}" for i in itertools.count())
    addresses = (f"10.1.0.{i}" for i in itertools.count(1))
    return reconcile(wanted, list(itertools.chain(*have)), lambda: next(names), lambda: next(addresses))


OLD, NEW = deployment(2, "web:1"), deployment(2, "web:2")


@pytest.mark.parametrize(
    ("of_old", "of_new", "created", "deleted"),
    [
        ((), (), 2, 0),
        ((), (True,), 1, 0),
        ((), (True, False), 0, 0),
        ((), (True, True, True), 0, 1),
        ((True, True), (), 1, 0),
        ((True, True), (False,), 0, 0),
        ((True, True), (True,), 0, 1),
        ((True,), (True,), 1, 0),
        ((True,), (True, True), 0, 1),
        ((False, True), (), 1, 1),
    ],
    ids=[
        "a new Deployment gets all its pods at once",
        "one that is missing is made",
        "one that is not ready yet is waited for",
        "a surplus goes",
        "a rollout begins with one pod more",
        "no old pod goes before a new one is ready",
        "then one goes",
        "and the next is made",
        "until all are new",
        "an old one that serves nobody goes first",
    ],
)
def test_the_next_step(
    of_old: tuple[bool, ...], of_new: tuple[bool, ...], created: int, deleted: int
) -> None:
    found = step(NEW, pods(OLD, *of_old), pods(NEW, *of_new))
    assert (len(found.create), len(found.delete)) == (created, deleted)


def test_what_is_on_its_way_out_counts_for_nothing() -> None:
    leaving = pods(NEW, True)
    leaving[0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    found = step(NEW, leaving, pods(NEW, True))
    assert len(found.create) == 1
    assert found.status["replicas"] == found.status["readyReplicas"] == 1


def test_of_a_surplus_those_that_are_not_ready_go_first() -> None:
    have = pods(NEW, True, False, True)
    assert step(NEW, have).delete == (have[1],)


def test_a_pod_is_its_deployments_and_has_an_address() -> None:
    (pod,) = step(deployment(1)).create
    assert pod["metadata"]["ownerReferences"][0]["uid"] == "u-1"
    assert pod["metadata"]["labels"]["app"] == "web"
    assert pod["metadata"]["annotations"]["meshwright.dev/address"] == "10.1.0.1"
    assert pod["spec"]["nodeName"] == "local"


@pytest.mark.parametrize(
    ("states", "available", "progressing"),
    [
        ((), "False", "ReplicaSetUpdated"),
        ((True, False), "False", "ReplicaSetUpdated"),
        ((True, True), "True", "NewReplicaSetAvailable"),
    ],
)
def test_the_status_says_how_far_it_is(states: tuple[bool, ...], available: str, progressing: str) -> None:
    status = step(NEW, pods(NEW, *states)).status
    conditions = {c["type"]: c for c in status["conditions"]}
    assert conditions["Available"]["status"] == available
    assert conditions["Progressing"]["reason"] == progressing
    assert status["observedGeneration"] == 4
    assert status["unavailableReplicas"] == 2 - sum(states)


EVENT = st.one_of(
    st.tuples(st.just("ready"), st.integers(0, 9)),
    st.tuples(st.just("image"), st.integers(1, 3)),
)


@given(st.integers(1, 4), st.lists(EVENT, max_size=30))
def test_a_rollout_never_lacks_a_pod_and_ends(replicas: int, events: list[tuple[str, int]]) -> None:
    """Pods become ready and images change in any order; at the end all pods are of the last image."""
    wanted = deployment(replicas)
    live = pods(wanted, *[True] * replicas)
    number = itertools.count()

    def follow() -> None:
        found = reconcile(wanted, live, lambda: f"s{next(number)}", lambda: "10.1.0.1")
        for gone in found.delete:
            live.remove(gone)
        live.extend({**pod, "status": {}} for pod in found.create)
        assert sum(map(ready, live)) >= replicas
        assert len(live) <= replicas + 1

    for event, value in events:
        if event == "image":
            wanted = deployment(replicas, f"web:{value}")
        elif waiting := [pod for pod in live if not ready(pod)]:
            waiting[value % len(waiting)]["status"] = READY
        follow()
    for _ in range(3 * replicas + 3):
        for pod in live:
            pod["status"] = READY
        follow()
    assert {pod["metadata"]["labels"][HASH_LABEL] for pod in live} == {template_hash(wanted)}
    assert len(live) == replicas
