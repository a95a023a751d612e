"""What the events of the shop promise while processes are really killed or frozen."""

import asyncio
import signal

import pytest

from services.gen.shop.events.v1.events_pb2 import OrderPlaced
from services.kit.events.envelope import Event
from tests.services.events.world import World, in_order, running, until


async def rolled_back(shop: World) -> None:
    async with shop.telling.write() as connection:
        await shop.outbox.add(connection, Event(shop.kind, "a", OrderPlaced()))
        raise ZeroDivisionError


async def test_what_is_rolled_back_was_never_told(shop: World) -> None:
    await shop.tell("a")
    with pytest.raises(ZeroDivisionError):
        await rolled_back(shop)
    await shop.tell("a")
    async with running(shop.relay().run(), shop.consumer().run()):
        assert await shop.until_effects(2) == [("a", 1), ("a", 2)]


async def test_a_killed_relay_loses_nothing_and_another_takes_over(shop: World) -> None:
    aggregates = [f"a{n}" for n in range(30)]
    for aggregate in aggregates:
        await shop.tell(aggregate, 20)
    async with running(shop.consumer().run()):
        async with shop.relay_process("first") as first, shop.relay_process("second") as second:
            await shop.until_effects(30)
            first.send_signal(signal.SIGKILL)
            await first.wait()
            await shop.tell("late", 1)
            await shop.until_effects(601)
            assert second.returncode is None
        effects = await shop.effects()
    assert in_order(effects) == {name: list(range(1, 21)) for name in aggregates} | {"late": [1]}


async def test_a_killed_broker_loses_nothing(shop: World) -> None:
    async def tell() -> None:
        for _ in range(60):
            await asyncio.gather(*(shop.tell(aggregate) for aggregate in "abcde"))

    async with running(shop.relay().run(), shop.consumer().run()):
        telling = asyncio.create_task(tell())
        for seen in (20, 60, 100):
            await shop.until_effects(seen)
            await shop.server.stop()
            await shop.tell("down")
            await shop.server.start()
        await telling
        effects = await shop.until_effects(303)
    assert in_order(effects) == {name: list(range(1, 61)) for name in "abcde"} | {"down": [1, 2, 3]}
    assert await until(shop.lag, lambda lag: lag.waiting == 0)


async def test_a_relay_that_was_frozen_disorders_nothing(shop: World) -> None:
    aggregates = [f"a{n}" for n in range(20)]
    for aggregate in aggregates:
        await shop.tell(aggregate, 10)
    async with running(shop.consumer().run()), shop.relay_process("frozen") as frozen:
        await shop.until_effects(5)
        frozen.send_signal(signal.SIGSTOP)
        async with running(shop.relay("other").run()):
            await shop.until_effects(200)
            frozen.send_signal(signal.SIGCONT)
            await shop.tell("late", 5)
            effects = await shop.until_effects(205)
    assert in_order(effects) == {name: list(range(1, 11)) for name in aggregates} | {"late": [1, 2, 3, 4, 5]}


async def test_events_told_before_the_broker_is_there_arrive_when_it_is(shop: World) -> None:
    await shop.server.stop()
    await shop.tell("a", 3)
    async with running(shop.relay().run(), shop.consumer().run()):
        await until(shop.lag, lambda lag: lag.oldest > 0.5)
        assert (await shop.lag()).waiting == 3
        await shop.server.start()
        assert await shop.until_effects(3) == [("a", 1), ("a", 2), ("a", 3)]
