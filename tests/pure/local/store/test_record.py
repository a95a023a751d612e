"""Events for people: they name their object, and repeat as a count."""

from __future__ import annotations

from mesh.local.store import Store, kind, record
from tests.pure.local.store.objects import Clock, pod


async def test_the_same_thing_again_raises_the_count(store: Store, clock: Clock) -> None:
    about = (await store.create(pod("catalog-0"))).object
    await record(store, about, "BackOff", "Back-off restarting", clock(), warning=True)
    clock.advance(10)
    await record(store, about, "BackOff", "Back-off restarting", clock(), warning=True)
    await record(store, about, "Started", "Started container", clock())
    repeated, once = sorted(store.list(kind("Event"), "shop"), key=lambda event: event["reason"])
    assert (repeated["count"], repeated["type"]) == (2, "Warning")
    assert (repeated["firstTimestamp"], repeated["lastTimestamp"]) == (
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:00:10Z",
    )
    assert once["count"] == 1
    selected = store.list(kind("Event"), fields=f"involvedObject.uid={about['metadata']['uid']},type=Warning")
    assert selected == [repeated]
