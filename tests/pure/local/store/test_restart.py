"""What is on disk: a killed process comes back whole, a full disk loses nothing, one process at a time."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.local.store import Refused, Store, Unusable, key, key_of, kind
from tests.pure.local.store.objects import Clock, service, virtual_service

WRITER = """
import asyncio, sys
from pathlib import Path
from mesh.local.store import Store
from tests.pure.local.store.objects import service

async def main():
    async with Store(Path(sys.argv[1])) as store:
        await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        for n in range(10_000):
            made = (await store.create(service(f"s{n}"))).object
            print(made["metadata"]["name"], made["metadata"]["resourceVersion"], flush=True)

asyncio.run(main())
"""


def written_until_killed(directory: Path) -> list[list[str]]:
    """The (name, version) pairs that a process said it had written, until it was killed in the middle."""
    command = [sys.executable, "-c", WRITER, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        confirmed = [writer.stdout.readline().split() for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        return confirmed + [line.split() for line in writer.stdout.read().splitlines()]


async def test_a_killed_process_returns_with_all_it_had_confirmed(tmp_path: Path) -> None:
    confirmed = written_until_killed(tmp_path / "state")
    async with Store(tmp_path / "state") as store:
        for name, version in confirmed:
            kept = store.get(key(kind("Service"), "shop", name))
            assert kept["metadata"]["resourceVersion"] == version
        assert store.version >= int(confirmed[-1][1])


async def test_versions_never_go_back(tmp_path: Path) -> None:
    clock = Clock()
    async with Store(tmp_path / "state", now=clock) as store:
        last = store.version
    clock.advance(-86400)
    async with Store(tmp_path / "state", now=clock) as store:
        assert store.version == last
        made = (await store.create(namespace("shop"))).object
        assert int(made["metadata"]["resourceVersion"]) == store.version > last
    clock.advance(2 * 86400)
    async with Store(tmp_path / "empty", now=clock) as store:
        assert store.version > last, "a state begun anew is later than the one before"


async def test_a_watch_from_before_a_restart_goes_on_when_nothing_was_missed(tmp_path: Path) -> None:
    async with Store(tmp_path / "state") as store:
        await store.create(namespace("shop"))
        before, last = store.version - 1, store.version
    async with Store(tmp_path / "state") as store:
        made = (await store.create(namespace("more"))).object
        assert [event.object for event in await store.after(last)] == [made]
        with pytest.raises(Refused, match="too old"):
            await store.after(before)


async def test_a_full_disk_refuses_the_write_and_keeps_the_last_good_state(
    store: Store, tmp_path: Path
) -> None:
    where = key_of((await store.create(virtual_service())).object)
    pages = store._state._journal._db.execute("PRAGMA page_count").fetchone()[0]
    store._state._journal._db.execute(f"PRAGMA max_page_count = {pages + 1}")
    version = store.version
    with pytest.raises(Refused, match=r"store\.db: database or disk is full; make room") as refused:
        await store.patch(where, {"metadata": {"annotations": {"big": "x" * 100_000}}})
    assert refused.value.code == 507
    assert store.version == version
    assert "annotations" not in store.get(where)["metadata"]
    store._state._journal._db.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert (await store.patch(where, {"metadata": {"labels": {"a": "b"}}})).object["metadata"]["labels"]


async def test_a_second_process_is_told_that_the_state_is_in_use(store: Store, tmp_path: Path) -> None:
    await store.create(service("catalog"))
    with pytest.raises(Unusable, match="in use by another control plane"):
        Store(tmp_path / "state")


async def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(Unusable, match="move it away to begin with an empty state"):
        Store(tmp_path)


async def test_a_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "store.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(Unusable, match="schema 99"):
        Store(tmp_path)


async def test_a_directory_that_cannot_be_made_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match="the directory writable"):
        Store(tmp_path / "file" / "state")


async def test_only_its_owner_can_read_the_state(store: Store, tmp_path: Path) -> None:
    await store.create(service("catalog"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert set(modes.values()) == {0o600}, modes


def namespace(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
