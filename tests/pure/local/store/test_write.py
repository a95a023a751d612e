"""Creating and updating: versions, generations, identities, defaults."""

from __future__ import annotations

import asyncio

import pytest

from mesh.local.store import PatchType, Refused, Store, key, key_of, kind, with_metadata
from tests.pure.local.store.objects import Clock, deployment, pod, service, virtual_service


async def test_a_created_object_gets_uid_time_version_and_generation(store: Store) -> None:
    made = (await store.create(virtual_service())).object["metadata"]
    assert made["uid"]
    assert made["creationTimestamp"] == "2026-11-23T12:00:00Z"
    assert made["generation"] == 1
    assert int(made["resourceVersion"]) == store.version


async def test_an_alias_version_is_stored_as_the_first_one(store: Store) -> None:
    made = await store.create({**virtual_service(), "apiVersion": "networking.istio.io/v1alpha3"})
    assert made.object["apiVersion"] == "networking.istio.io/v1"


async def test_a_taken_name_is_refused_and_a_generated_one_is_new(store: Store) -> None:
    await store.create(virtual_service())
    with pytest.raises(Refused) as refused:
        await store.create(virtual_service())
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")
    generated = with_metadata(pod("x"), name=None, generateName="catalog-")
    names = {(await store.create(generated)).object["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("catalog-") for name in names)


async def test_a_namespace_must_exist(store: Store) -> None:
    with pytest.raises(Refused, match='namespaces "elsewhere" not found'):
        await store.create(with_metadata(service("catalog"), namespace="elsewhere"))


@pytest.mark.parametrize(
    ("obj", "code", "told"),
    [
        ({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}, 400, "does not serve"),
        ({**service("catalog"), "metadata": []}, 400, "metadata"),
        (with_metadata(service("catalog"), name="Catalog"), 422, "lower case"),
        (with_metadata(service("catalog"), name=None), 422, "name or generateName is required"),
        (with_metadata(service("catalog"), labels={"app": 1}), 422, "quotes"),
        (with_metadata(service("catalog"), labels={"app": "a b"}), 422, "not a label"),
        (with_metadata(service("catalog"), namespace=None), 400, "needs metadata.namespace"),
    ],
)
async def test_what_has_no_usable_metadata_is_refused(store: Store, obj: dict, code: int, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        await store.create(obj)
    assert refused.value.code == code


async def test_a_stale_update_is_a_conflict_and_one_without_a_version_is_not(store: Store) -> None:
    first = (await store.create(virtual_service())).object
    second = (await store.update({**first, "spec": {"hosts": ["a"]}})).object
    with pytest.raises(Refused) as refused:
        await store.update({**first, "spec": {"hosts": ["b"]}})
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert store.get(key_of(first)) == second
    third = (
        await store.update({**with_metadata(first, resourceVersion=None), "spec": {"hosts": ["b"]}})
    ).object
    assert third["spec"] == {"hosts": ["b"]}


async def test_generation_counts_changes_of_the_spec_only(store: Store) -> None:
    made = (await store.create(virtual_service())).object
    labelled = (await store.update(with_metadata(made, labels={"a": "b"}))).object
    assert labelled["metadata"]["generation"] == 1
    changed = (await store.update({**labelled, "spec": {"hosts": ["other"]}})).object
    assert changed["metadata"]["generation"] == 2


async def test_an_update_that_says_nothing_new_changes_nothing(store: Store) -> None:
    made = (await store.create(virtual_service())).object
    version = store.version
    assert (await store.update(made)).object is made
    assert store.version == version


async def test_status_is_only_written_through_its_own_door(store: Store) -> None:
    where = key(kind("Deployment"), "shop", "catalog-v1")
    made = (await store.create({**deployment(), "status": {"replicas": 7}})).object
    assert "status" not in made
    told = (await store.patch(where, {"status": {"replicas": 1}}, subresource="status")).object
    assert told["status"] == {"replicas": 1}
    assert told["metadata"]["generation"] == 1
    both = {**told, "status": {"replicas": 9}, "spec": {**told["spec"], "replicas": 3}}
    updated = (await store.update(both)).object
    assert (updated["status"], updated["spec"]["replicas"]) == ({"replicas": 1}, 3)
    by_status = (await store.update({**updated, "status": {}, "spec": {}}, subresource="status")).object
    assert (by_status["status"], by_status["spec"]["replicas"]) == ({}, 3)


async def test_what_cannot_change_does_not(store: Store) -> None:
    made = (await store.create(deployment())).object
    moved = with_metadata(made, uid=None, creationTimestamp="2001-01-01T00:00:00Z", generation=99)
    assert (await store.update(moved)).object == made
    with pytest.raises(Refused, match="uid"):
        await store.update(with_metadata(made, uid="another"))
    with pytest.raises(Refused, match=r"spec\.selector: field is immutable"):
        await store.update({**made, "spec": {**made["spec"], "selector": {"matchLabels": {"app": "x"}}}})


async def test_services_get_cluster_ips_in_order_of_creation_and_keep_them(store: Store) -> None:
    made = [
        (await store.create(service(name))).object["spec"]["clusterIP"] for name in ("orders", "catalog", "x")
    ]
    assert made == ["10.2.0.1", "10.2.0.2", "10.2.0.3"]
    again = (await store.update(service("catalog"))).object
    assert again["spec"]["clusterIP"] == "10.2.0.2"
    headless = service("peers")
    headless["spec"]["clusterIP"] = "None"
    assert (await store.create(headless)).object["spec"]["clusterIPs"] == ["None"]
    await store.delete(key(kind("Service"), "shop", "orders"))
    assert (await store.create(service("late"))).object["spec"]["clusterIP"] == "10.2.0.1"


async def test_defaults_are_filled_in(store: Store) -> None:
    made = (await store.create(service("catalog"))).object["spec"]
    assert made["type"] == "ClusterIP"
    assert made["ports"] == [{"name": "grpc", "port": 50051, "protocol": "TCP", "targetPort": 50051}]
    rolled = (await store.create(deployment())).object["spec"]
    assert rolled["replicas"] == 1
    assert rolled["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert rolled["template"]["spec"]["restartPolicy"] == "Always"
    running = (await store.create(pod("catalog-0"))).object
    assert running["spec"]["containers"][0]["ports"] == [{"containerPort": 50051, "protocol": "TCP"}]
    assert "status" not in running


async def test_a_secret_takes_plain_text(store: Store) -> None:
    found = {"name": "token", "namespace": "shop"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": found, "stringData": {"a": "b"}}
    made = (await store.create(secret)).object
    assert made["data"] == {"a": "Yg=="}
    assert "stringData" not in made


async def test_several_changes_are_one_write_and_all_or_none(store: Store) -> None:
    version = store.version
    with pytest.raises(Refused):
        await store.apply_all(
            [service("catalog"), with_metadata(service("orders"), namespace="gone")], "mesh"
        )
    assert store.version == version
    assert store.list(kind("Service")) == []
    written = await store.apply_all([service("catalog"), service("orders")], "mesh")
    assert [one.object["spec"]["clusterIP"] for one in written] == ["10.2.0.1", "10.2.0.2"]
    assert all(one.created for one in written)


async def test_a_dry_run_answers_and_keeps_nothing(store: Store) -> None:
    version = store.version
    assert (await store.create(service("catalog"), dry_run=True)).object["spec"]["clusterIP"] == "10.2.0.1"
    assert store.version == version
    assert store.find(key(kind("Service"), "shop", "catalog")) is None


async def test_concurrent_edits_are_all_kept(store: Store) -> None:
    where = key_of((await store.create(virtual_service())).object)
    patches = [store.patch(where, {"metadata": {"labels": {f"n{n}": "x"}}}) for n in range(50)]
    await asyncio.gather(*patches)
    assert len(store.get(where)["metadata"]["labels"]) == 50


async def test_a_cancelled_caller_leaves_memory_and_disk_in_agreement(store: Store) -> None:
    writing = asyncio.create_task(store.create(service("catalog")))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await store.create(service("orders"))
    kept = {obj["metadata"]["name"] for obj in store.list(kind("Service"))}
    on_disk = {where.name for where in store._state._journal.load()[0] if where.resource == "services"}
    assert kept == on_disk


async def test_istio_kinds_take_no_strategic_patch(store: Store) -> None:
    where = key_of((await store.create(virtual_service())).object)
    with pytest.raises(Refused, match="merge-patch") as refused:
        await store.patch(where, {"spec": {}}, PatchType.STRATEGIC)
    assert refused.value.code == 415


async def test_old_events_make_room(store: Store, clock: Clock) -> None:
    def event(name: str) -> dict:
        time = clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": "shop"},
            "lastTimestamp": time,
        }

    await store.create(event("first"))
    clock.advance(1800)
    await store.create(event("second"))
    clock.advance(1801)
    await store.create(event("third"))
    assert [obj["metadata"]["name"] for obj in store.list(kind("Event"))] == ["second", "third"]
