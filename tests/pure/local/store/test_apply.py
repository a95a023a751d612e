"""Server-side apply: what a manager no longer names goes, what others hold is a conflict, the rest stays."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.local.store import Object, PatchType, Refused, Store, key_of
from tests.pure.local.store.objects import deployment, service, virtual_service


def managers(obj: Object) -> set[tuple[str, str]]:
    return {(entry["manager"], entry["operation"]) for entry in obj["metadata"].get("managedFields", ())}


async def test_apply_creates_then_changes_then_changes_nothing(store: Store) -> None:
    first = await store.apply(virtual_service(), "alice")
    assert first.created
    assert managers(first.object) == {("alice", "Apply")}
    second = await store.apply(virtual_service(http=[{"route": []}]), "alice")
    assert not second.created
    assert second.object["metadata"]["generation"] == 2
    version = store.version
    assert (await store.apply(virtual_service(http=[{"route": []}]), "alice")).object is second.object
    assert store.version == version


async def test_a_field_no_longer_named_goes(store: Store) -> None:
    await store.apply(virtual_service(http=[], exportTo=["*"]), "alice")
    after = (await store.apply(virtual_service(http=[]), "alice")).object
    assert "exportTo" not in after["spec"]


async def test_a_field_that_others_also_named_stays(store: Store) -> None:
    await store.apply(virtual_service(exportTo=["*"]), "alice")
    await store.apply(virtual_service(exportTo=["*"]), "bob")
    after = (await store.apply(virtual_service(), "alice")).object
    assert after["spec"]["exportTo"] == ["*"]


async def test_another_managers_value_is_a_conflict_unless_forced(store: Store) -> None:
    await store.apply(virtual_service(exportTo=["*"]), "alice")
    with pytest.raises(Refused, match=r'conflict with "alice": \.spec\.exportTo') as refused:
        await store.apply(virtual_service(exportTo=["."]), "bob")
    assert (refused.value.code, refused.value.causes[0].reason) == (409, "FieldManagerConflict")
    taken = (await store.apply(virtual_service(exportTo=["."]), "bob", force=True)).object
    assert taken["spec"]["exportTo"] == ["."]
    given_up = (await store.apply(virtual_service(), "alice")).object
    assert given_up["spec"]["exportTo"] == ["."], "alice does not own it any more"


async def test_an_ordinary_update_takes_the_fields_it_changes(store: Store) -> None:
    made = (await store.apply(virtual_service(exportTo=["*"]), "alice")).object
    await store.patch(key_of(made), {"spec": {"exportTo": ["."]}}, manager="kubectl-edit")
    assert managers(store.get(key_of(made))) == {("alice", "Apply"), ("kubectl-edit", "Update")}
    with pytest.raises(Refused, match='conflict with "kubectl-edit"'):
        await store.apply(virtual_service(exportTo=["*"]), "alice")


async def test_items_of_a_keyed_list_have_owners_of_their_own(store: Store) -> None:
    def env(*names: str) -> Object:
        obj = deployment()
        obj["spec"]["template"]["spec"]["containers"][0]["env"] = [
            {"name": name, "value": "1"} for name in names
        ]
        return obj

    def names(obj: Object) -> list[Any]:
        return [item["name"] for item in obj["spec"]["template"]["spec"]["containers"][0]["env"]]

    await store.apply(env("A", "B"), "alice")
    both = (await store.apply(env("C"), "bob")).object
    assert set(names(both)) == {"A", "B", "C"}
    fewer = (await store.apply(env("A"), "alice")).object
    assert set(names(fewer)) == {"A", "C"}
    assert fewer["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/catalog"


async def test_defaults_are_nobodys_and_stay(store: Store) -> None:
    await store.apply(service("catalog"), "alice")
    after = (await store.apply(service("catalog"), "alice")).object
    assert after["spec"]["clusterIP"] == "10.2.0.1"
    assert after["spec"]["ports"][0]["targetPort"] == 50051


async def test_a_client_that_rewrites_the_owners_is_believed(store: Store) -> None:
    """As kubectl does when it moves an object from client-side to server-side apply."""
    made = (await store.create(virtual_service(), manager="kubectl-client-side-apply")).object
    entry = {**made["metadata"]["managedFields"][0], "manager": "kubectl", "operation": "Apply"}
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}]
    await store.patch(key_of(made), patch, PatchType.JSON)
    after = (await store.apply(virtual_service(exportTo=["."]), "kubectl")).object
    assert managers(after) == {("kubectl", "Apply")}


async def test_an_applied_configuration_names_no_owners(store: Store) -> None:
    obj = virtual_service()
    obj["metadata"]["managedFields"] = [{"manager": "x"}]
    with pytest.raises(Refused, match="managedFields must be nil"):
        await store.apply(obj, "alice")


async def test_a_service_moved_to_server_side_apply_keeps_its_address(store: Store) -> None:
    made = (await store.create(service("catalog"), manager="kubectl-client-side-apply")).object
    (entry,) = made["metadata"]["managedFields"]
    assert "f:clusterIP" not in entry["fieldsV1"]["f:spec"], "what nobody sent belongs to nobody"
    moved = [{**entry, "manager": "kubectl", "operation": "Apply"}]
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": moved}]
    await store.patch(key_of(made), patch, PatchType.JSON)
    assert (await store.apply(service("catalog"), "kubectl")).object["spec"] == made["spec"]
