"""Selectors: what kubectl can write, and a clear answer to what nobody can read."""

from __future__ import annotations

import pytest

from mesh.local.store import Refused, Store, kind
from mesh.local.store.selector import matcher
from tests.pure.local.store.objects import pod

POD = pod("catalog-v1-0", node="local", app="catalog", version="v1")


@pytest.mark.parametrize(
    ("labels", "selected"),
    [
        ("", True),
        ("app=catalog", True),
        ("app==catalog,version!=v2", True),
        ("app=orders", False),
        ("version in (v1, v2)", True),
        ("version notin (v1,v2)", False),
        ("tier notin (a)", True),
        ("app", True),
        ("!app", False),
        ("!tier, app in (catalog)", True),
        ("tier=", False),
    ],
)
def test_labels(labels: str, selected: bool) -> None:
    assert matcher(kind("Pod"), labels)(POD) is selected


@pytest.mark.parametrize(
    ("fields", "selected"),
    [
        ("metadata.name=catalog-v1-0", True),
        ("metadata.namespace!=shop", False),
        ("spec.nodeName=local,status.phase!=Running", True),
        ("status.phase=", True),
    ],
)
def test_fields(fields: str, selected: bool) -> None:
    assert matcher(kind("Pod"), fields=fields)(POD) is selected


@pytest.mark.parametrize(
    ("labels", "fields"), [("a b", ""), ("a in b", ""), ("", "spec.image=x"), ("", "name")]
)
def test_what_cannot_be_read_is_refused(labels: str, fields: str) -> None:
    with pytest.raises(Refused, match="write") as refused:
        matcher(kind("Pod"), labels, fields)
    assert refused.value.code == 400


async def test_a_list_is_by_namespace_and_name(store: Store) -> None:
    for name in ("b", "a"):
        await store.create(pod(name, app=name))
    assert [obj["metadata"]["name"] for obj in store.list(kind("Pod"), "shop")] == ["a", "b"]
    assert [obj["metadata"]["name"] for obj in store.list(kind("Pod"), labels="app=b")] == ["b"]
    assert store.list(kind("Pod"), "default") == []
