"""Those who watch a process learn of its last change, even when it happens while they are being told another."""

from __future__ import annotations

from services.kit.health import NOT_SERVING, SERVING, Health


async def test_a_drain_while_watchers_are_told_is_told_too() -> None:
    health = Health("shop.v1.Shop")
    health.set_ready(True)
    changes = health.changes()
    assert (await anext(changes))[""] is SERVING
    health.drain()
    assert [each["shop.v1.Shop"] async for each in changes] == [NOT_SERVING]
