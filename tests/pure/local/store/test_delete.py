"""Deleting: preconditions, a pod's grace, owners, finalizers, namespaces."""

from __future__ import annotations

import pytest

from mesh.local.store import Deletion, Refused, Store, key, key_of, kind, with_metadata
from tests.pure.local.store.objects import Clock, deployment, pod, service


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(Refused, match='services "catalog" not found'):
        await store.delete(key(kind("Service"), "shop", "catalog"))


async def test_preconditions_are_held(store: Store) -> None:
    made = (await store.create(service("catalog"))).object
    for how in (Deletion(uid="another"), Deletion(version="1")):
        with pytest.raises(Refused) as refused:
            await store.delete(key_of(made), how)
        assert refused.value.code == 409
    kept = Deletion(uid=made["metadata"]["uid"], version=made["metadata"]["resourceVersion"])
    await store.delete(key_of(made), kept)
    assert store.find(key_of(made)) is None


async def test_a_running_pod_is_marked_and_goes_when_its_runner_says_so(store: Store, clock: Clock) -> None:
    where = key_of((await store.create(pod("catalog-0", node="local"))).object)
    marked = await store.delete(where)
    assert marked["metadata"]["deletionTimestamp"] == "2026-11-23T12:00:30Z"
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    clock.advance(1)
    assert await store.delete(where) == marked, "asking again changes nothing"
    sooner = await store.delete(where, Deletion(grace=5))
    assert sooner["metadata"]["deletionTimestamp"] == "2026-11-23T12:00:06Z"
    await store.delete(where, Deletion(grace=0))
    assert store.find(where) is None


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_a_pod_that_does_not_run_goes_at_once(store: Store, phase: str) -> None:
    waiting = key_of((await store.create(pod("waiting"))).object)
    await store.delete(waiting)
    done = key_of((await store.create(pod("done", node="local"))).object)
    await store.patch(done, {"status": {"phase": phase}}, subresource="status")
    await store.delete(done)
    assert store.list(kind("Pod")) == []


async def test_what_an_object_owned_goes_with_it(store: Store) -> None:
    owner = (await store.create(deployment())).object
    await store.create(pod("waiting", owner))
    running = key_of((await store.create(pod("running", owner, node="local"))).object)
    await store.create(pod("other"))
    await store.delete(key_of(owner))
    assert [obj["metadata"]["name"] for obj in store.list(kind("Pod"))] == ["other", "running"]
    assert store.get(running)["metadata"]["deletionTimestamp"]


async def test_orphans_are_set_free(store: Store) -> None:
    owner = (await store.create(deployment())).object
    owned = key_of((await store.create(pod("owned", owner))).object)
    await store.delete(key_of(owner), Deletion(orphan=True))
    assert "ownerReferences" not in store.get(owned)["metadata"]


async def test_finalizers_are_waited_for(store: Store) -> None:
    held = with_metadata(service("catalog"), finalizers=["shop/a", "shop/b"])
    where = key_of((await store.create(held)).object)
    assert (await store.delete(where))["metadata"]["deletionTimestamp"]
    await store.patch(where, {"metadata": {"finalizers": ["shop/b"]}})
    assert store.find(where)
    await store.patch(where, {"metadata": {"finalizers": None}})
    assert store.find(where) is None


async def test_a_namespace_takes_its_contents_along(store: Store) -> None:
    owner = (await store.create(deployment())).object
    await store.create(pod("owned", owner))
    await store.create(service("catalog"))
    await store.delete(key(kind("Namespace"), "", "shop"))
    assert [obj["kind"] for obj in store.snapshot()[1]] == ["Namespace"]
