"""Watching: from now, from a version, from the beginning; what is forgotten is said so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mesh.local.store import Change, Deletion, Refused, Store, key_of, kind
from tests.pure.local.store.objects import pod, service, virtual_service


async def take(store: Store, count: int, of: str, since: int | None = None) -> list[tuple[str, str]]:
    seen = []
    async with asyncio.timeout(5):
        async for event in store.watch(kind(of), since=since):
            seen.append((str(event.change), event.key.name))
            if len(seen) == count:
                break
    return seen


async def test_a_watch_resumes_where_a_list_ended(store: Store) -> None:
    version = store.version
    where = key_of((await store.create(service("catalog"))).object)
    await store.create(virtual_service())
    await store.patch(where, {"metadata": {"labels": {"a": "b"}}})
    await store.delete(where)
    expected = [("ADDED", "catalog"), ("MODIFIED", "catalog"), ("DELETED", "catalog")]
    assert await take(store, 3, "Service", version) == expected


async def test_a_watch_from_nothing_begins_with_what_there_is(store: Store) -> None:
    await store.create(service("catalog"))
    watching = asyncio.create_task(take(store, 2, "Service"))
    await asyncio.sleep(0)
    await store.create(service("orders"))
    assert await watching == [("ADDED", "catalog"), ("ADDED", "orders")]


async def test_every_watcher_sees_every_event_in_order(store: Store) -> None:
    since = store.version
    watchers = [asyncio.create_task(take(store, 20, "Pod", since)) for _ in range(5)]
    for n in range(20):
        await store.create(pod(f"p{n:02}"))
    for seen in await asyncio.gather(*watchers):
        assert seen == [("ADDED", f"p{n:02}") for n in range(20)]


async def test_an_event_holds_the_object_before_and_after(store: Store) -> None:
    since = store.version
    made = (await store.create(service("catalog"))).object
    await store.delete(key_of(made), Deletion(grace=0))
    events = [event async for event, _ in azip(store.watch(since=since), 2)]
    assert events[1].previous == made
    assert events[1].change is Change.DELETED
    assert int(events[1].object["metadata"]["resourceVersion"]) == events[1].version == store.version


async def azip(watch, count):
    async with asyncio.timeout(5):
        async for event in watch:
            yield event, count
            count -= 1
            if not count:
                return


async def test_a_forgotten_version_is_gone(tmp_path: Path) -> None:
    async with Store(tmp_path / "state", remembered=5) as store:
        since = store.version
        for n in range(12):
            await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{n}"}})
        for forgotten in (since, 1, store.version + 1):
            with pytest.raises(Refused) as refused:
                await take(store, 1, "Namespace", forgotten)
            assert (refused.value.code, refused.value.reason) == (410, "Expired")


async def test_a_slow_watcher_is_told_that_it_missed_something(tmp_path: Path) -> None:
    async with Store(tmp_path / "state", remembered=5) as store:
        watch = store.watch(kind("Namespace"), since=store.version)
        for n in range(3):
            await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"a{n}"}})
        assert (await anext(watch)).key.name == "a0"
        for n in range(12):
            await store.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"b{n}"}})
        with pytest.raises(Refused, match="list again"):
            async for _ in watch:
                pass


async def test_watches_end_with_the_store(tmp_path: Path) -> None:
    async with Store(tmp_path / "state") as store:
        watching = asyncio.create_task(take(store, 100, "Namespace"))
        await asyncio.sleep(0)
    assert await asyncio.wait_for(watching, 5) == [("ADDED", "default")]
