"""Whatever is sent is stored or refused with the field that is wrong, and what is stored can be shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.local.api.columns import columns_of
from mesh.local.store import KINDS, Kind, Object, PatchType, Refused, key
from mesh.local.store.draft import Draft, Stamp
from mesh.local.store.object import copied
from mesh.local.store.patch import patched
from mesh.local.store.write import apply, create, update
from tests.pure.local.store.objects import deployment, pod, service, virtual_service

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NAMES = st.sampled_from(
    [
        "name",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
        "managedFields",
        "resourceVersion",
        "uid",
        "spec",
        "status",
        "containers",
        "ports",
        "env",
        "template",
        "metadata",
        "selector",
        "matchLabels",
        "conditions",
        "containerStatuses",
        "state",
        "terminated",
        "type",
        "clusterIP",
        "data",
        "stringData",
        "strategy",
        "rollingUpdate",
        "replicas",
        "endpoints",
        "addresses",
        "hosts",
        "involvedObject",
        "fieldsV1",
        "manager",
        "f:spec",
        "$patch",
        "$setElementOrder/ports",
        "$deleteFromPrimitiveList/finalizers",
        "$retainKeys",
        "restartCount",
        "phase",
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1, 70000)
    | st.sampled_from(["", "a", "catalog", "x y", "replace"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
STEPS = st.sampled_from(
    ["f:spec", "f:hosts", "f:metadata", "f:labels", ".", 'k:{"name":"a"}', "k:[1]", "v:x", 'v:"a"', "z"]
)
OWNED = st.recursive(st.just({}), lambda inner: st.dictionaries(STEPS, inner, max_size=3), max_leaves=8)
ENTRIES = st.fixed_dictionaries(
    {"fieldsV1": OWNED | JSON},
    optional={"manager": st.sampled_from(["other", "x"]) | JSON, "operation": st.just("Apply") | JSON},
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "managedFields": st.lists(ENTRIES, max_size=2),
        "labels": st.dictionaries(NAMES, st.sampled_from(["a", ""])) | JSON,
        "finalizers": st.lists(st.sampled_from(["a", "b"])) | JSON,
        "ownerReferences": JSON,
    },
)
POINTERS = st.sampled_from(
    ["/spec", "/metadata/labels", "/metadata", "/kind", "", "/spec/hosts/0", "/spec/ports/-"]
)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
        optional={"value": JSON, "from": POINTERS},
    ),
    max_size=3,
)
MAPS = st.dictionaries(NAMES, JSON, max_size=6) | JSON


def draft() -> Draft:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    return Draft({key_("Namespace", "", "shop"): space}, Stamp(NOW, lambda: "1-2-3", "someone"))


def key_(name: str, namespace: str, of: str) -> Any:
    return key(next(kind for kind in KINDS if kind.name == name), namespace, of)


def shown(obj: Object, kind: Kind) -> None:
    for column in columns_of(kind):
        column.value(obj, NOW)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(KINDS),
    METADATA,
    MAPS,
    MAPS,
    st.sampled_from(PatchType),
    MAPS | OPERATIONS,
    st.sampled_from(["", "status"]),
)
def test_whatever_is_sent_is_stored_or_refused(
    kind: Kind, metadata: Any, spec: Any, status: Any, how: PatchType, patch: Any, subresource: str
) -> None:
    named = {**metadata, "name": "catalog", **({"namespace": "shop"} if kind.namespaced else {})}
    sent = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": named, "spec": spec, "data": spec}
    begun = draft()
    try:
        made = create(begun, sent)
        shown(made, kind)
        where = key(kind, "shop", "catalog")
        shown(update(begun, where, {**made, "status": status}, "status"), kind)
        if how is PatchType.APPLY:
            wanted = patch if isinstance(patch, dict) else {}
            shown(apply(begun, where, {**sent, **wanted, "metadata": named}, "other", True), kind)
        else:
            shown(update(begun, where, patched(begun.need(where), patch, how, kind), subresource), kind)
    except Refused:
        return  # anything else that is raised is a fault


@pytest.mark.parametrize(
    ("obj", "path", "wrong", "field"),
    [
        (service("catalog"), ("spec",), [], "spec"),
        (service("catalog"), ("spec", "ports"), ["grpc"], "spec.ports"),
        (pod("catalog-0"), ("spec", "containers", 0, "ports"), {}, "spec.containers[0].ports"),
        (deployment(), ("spec", "replicas"), "two", "spec.replicas"),
        (deployment(), ("spec", "template", "metadata", "labels"), {"v": 1}, "spec.template.metadata.labels"),
        (virtual_service(), ("metadata", "ownerReferences"), ["a"], "metadata.ownerReferences"),
        (virtual_service(), ("metadata", "annotations"), {"weight": 10}, "metadata.annotations"),
    ],
)
def test_a_field_of_another_type_is_named(obj: Object, path: tuple[Any, ...], wrong: Any, field: str) -> None:
    sent = copied(obj)
    inner = sent
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = wrong
    with pytest.raises(Refused, match="must be") as refused:
        create(draft(), sent)
    assert (refused.value.code, refused.value.causes[0].field) == (422, field)
