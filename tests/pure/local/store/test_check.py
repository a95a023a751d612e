"""The validate hook: it sees what would be, refuses with what is wrong, and warns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mesh.local.store import Object, Refused, Store, key_of, kind
from mesh.resources.problem import Place, Problem, Severity
from tests.pure.local.store.objects import service, virtual_service


def hosts_exist(proposed: Sequence[Object], objects: Sequence[Object]) -> list[Problem]:
    known = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "Service"}
    return [
        Problem(
            Place(f"VirtualService {host}", 0, "spec.hosts[0]"),
            "MW0001",
            severity(host),
            f"no {host}",
            "add it",
        )
        for obj in proposed
        for host in obj["spec"].get("hosts", ())
        if host not in known
    ]


def severity(host: str) -> Severity:
    return Severity.WARNING if host.startswith("maybe") else Severity.ERROR


@pytest.fixture
async def strict(tmp_path: Path):
    async with Store(tmp_path / "strict") as store:
        await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        store.validate = hosts_exist
        yield store


async def test_an_error_refuses_the_write_with_field_message_and_fix(strict: Store) -> None:
    version = strict.version
    with pytest.raises(Refused) as refused:
        await strict.create(virtual_service())
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    (cause,) = refused.value.causes
    assert (cause.field, cause.message) == ("spec.hosts[0]", "MW0001 no catalog (add it)")
    assert strict.version == version


async def test_a_warning_comes_back_with_the_answer(strict: Store) -> None:
    written = await strict.create(virtual_service("maybe-later"))
    assert [problem.message for problem in written.warnings] == ["no maybe-later"]


async def test_the_hook_sees_a_batch_as_a_whole(strict: Store) -> None:
    await strict.apply_all([virtual_service(), service("catalog")], "mesh")
    with pytest.raises(Refused, match="VirtualService orders: MW0001 no orders"):
        await strict.apply_all([virtual_service("orders"), service("other")], "mesh")


async def test_statuses_and_deletions_are_not_asked_about(strict: Store) -> None:
    await strict.apply_all([virtual_service(), service("catalog")], "mesh")
    (made,) = strict.list(kind("VirtualService"))
    await strict.delete(key_of(strict.list(kind("Service"))[0]))
    await strict.patch(key_of(made), {"status": {"observedGeneration": 1}}, subresource="status")
    with pytest.raises(Refused, match="no catalog"):
        await strict.patch(key_of(made), {"metadata": {"labels": {"a": "b"}}})


async def test_the_hook_may_be_asynchronous_and_runs_in_a_dry_run_too(strict: Store) -> None:
    async def later(proposed: Sequence[Object], objects: Sequence[Object]) -> list[Problem]:
        return hosts_exist(proposed, objects)

    strict.validate = later
    with pytest.raises(Refused, match="no catalog"):
        await strict.create(virtual_service(), dry_run=True)
