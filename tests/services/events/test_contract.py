"""What every broker promises, each a real one: the same tests for all of them."""

import asyncio
import signal
import time

import pytest
import structlog

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit.events import deadletters
from services.kit.events.broker import LIMIT, Message, Unreachable, open_broker
from services.kit.events.deadletters import DeadLetter
from tests.services.events.brokers.process import free_port
from tests.services.events.conftest import EVERY
from tests.services.events.world import World, in_order, running, until

pytestmark = pytest.mark.parametrize("server", EVERY, indirect=True)
BOUND = 3 * LIMIT + 4.0
"""Seconds: what a broker that does not answer may cost, on a machine that is busy."""


async def held(shop: World) -> list[DeadLetter]:
    return await shop.dead(shop.hearing)


async def test_events_of_an_aggregate_arrive_in_order(shop: World) -> None:
    aggregates = [f"a{n}" for n in range(20)]
    async with running(shop.relay().run(), shop.consumer().run()):
        await asyncio.gather(*(shop.tell(aggregate, 10) for aggregate in aggregates))
        effects = await shop.until_effects(200)
    assert in_order(effects) == {aggregate: list(range(1, 11)) for aggregate in aggregates}
    assert (await shop.lag()).waiting == 0


async def test_what_is_told_before_anybody_listens_is_heard_first(shop: World) -> None:
    async with running(shop.relay().run()):
        await shop.tell("a", 3)
        await until(shop.lag, lambda lag: lag.waiting == 0)
        async with running(shop.consumer().run(), shop.consumer().run()):
            await shop.until_effects(3)
            await shop.tell("a", 3)
            assert await shop.until_effects(6) == [("a", n) for n in range(1, 7)]


async def test_duplicates_have_one_effect(shop: World) -> None:
    first, second = await shop.tell("a", 2)
    async with running(shop.relay().run(), shop.consumer().run()):
        await shop.until_effects(2)
        for n in range(3):
            for event in (second, first):
                again = Message(shop.kind, "a", f"{event.event_id}-{n}", event.SerializeToString())
                await shop.broker.publish(again)
        await shop.tell("b")
        assert await shop.until_effects(3) == [("a", 1), ("a", 2), ("b", 1)]


async def test_what_a_consumer_died_over_comes_to_another_first(shop: World) -> None:
    await shop.tell("a", 3)
    async with running(shop.relay().run()):
        async with shop.broker.subscribe(shop.kind, "listener") as deliveries:
            await anext(deliveries)  # and never acknowledged
        async with running(shop.consumer().run()):
            assert await shop.until_effects(3) == [("a", 1), ("a", 2), ("a", 3)]


async def test_several_processes_share_the_work_and_keep_the_order(shop: World) -> None:
    await asyncio.gather(*(shop.tell(aggregate, 10) for aggregate in "abcd"))
    async with running(shop.relay().run(), shop.consumer().run(), shop.consumer().run()):
        effects = await shop.until_effects(40)
    assert in_order(effects) == {aggregate: list(range(1, 11)) for aggregate in "abcd"}


async def test_a_handler_that_fails_is_tried_again_later_and_in_order(shop: World) -> None:
    tries: list[tuple[int, float]] = []

    def fails_twice(envelope: Envelope) -> bool:
        tries.append((envelope.sequence, time.monotonic()))
        return envelope.sequence == 2 and len(tries) < 4

    shop.fails = fails_twice
    await shop.tell("a", 3)
    async with running(shop.relay().run(), shop.consumer().run()):
        assert await shop.until_effects(3) == [("a", 1), ("a", 2), ("a", 3)]
    assert [sequence for sequence, _ in tries] == [1, 2, 2, 2, 3]
    first, second = tries[2][1] - tries[1][1], tries[3][1] - tries[2][1]
    assert (first >= 0.02, second >= 0.04) == (True, True)
    assert await held(shop) == []


async def test_a_handler_that_keeps_failing_holds_back_its_aggregate_until_the_event_is_replayed(
    shop: World,
) -> None:
    shop.fails = lambda envelope: (envelope.aggregate_id, envelope.sequence) == ("a", 2)
    told = await shop.tell("a", 4)
    await shop.tell("b", 2)
    async with running(shop.relay().run(), shop.consumer().run()):
        await shop.until_effects(3)
        dead = await until(lambda: held(shop), bool)
        assert [(letter.id, letter.sequence) for letter in dead] == [(told[1].event_id, 2)]
        shop.fails = lambda envelope: False
        async with shop.hearing.write() as connection:
            assert await deadletters.replay(connection) == 1
        assert in_order(await shop.until_effects(6)) == {"a": [1, 2, 3, 4], "b": [1, 2]}


async def test_what_the_broker_does_not_take_is_a_dead_letter_and_holds_back_no_other(shop: World) -> None:
    await shop.tell("a", weight=shop.server.largest + 5000)
    await shop.tell("a")
    await shop.tell("b", 3)
    async with running(shop.relay().run(), shop.consumer().run()):
        await shop.until_effects(3)
        dead = await until(lambda: shop.dead(shop.telling), bool)
        assert [letter.aggregate for letter in dead] == [f"{shop.kind}/a"]
        async with shop.telling.write() as connection:
            assert await deadletters.discard(connection) == 1
        assert in_order(await shop.until_effects(4)) == {"a": [2], "b": [1, 2, 3]}


async def test_a_killed_broker_loses_nothing(shop: World) -> None:
    async with running(shop.relay().run(), shop.consumer().run()):
        await shop.tell("a", 20)
        await shop.until_effects(10)
        await shop.server.stop()
        await shop.tell("down", 3)
        await shop.server.start()
        await shop.tell("a", 20)
        effects = await shop.until_effects(43)
    assert in_order(effects) == {"a": [*range(1, 41)], "down": [1, 2, 3]}


async def test_a_broker_that_does_not_answer_costs_a_bounded_time(shop: World) -> None:
    message = Message(shop.kind, "a", shop.kind, b"")
    await shop.broker.publish(message)
    began = time.monotonic()
    shop.server.send(signal.SIGSTOP)
    try:
        with pytest.raises(Unreachable):
            await shop.broker.publish(message)
        assert time.monotonic() - began < BOUND
    finally:
        shop.server.send(signal.SIGCONT)


async def test_a_broker_that_is_not_there_costs_a_bounded_time(shop: World) -> None:
    at = shop.server.url.rpartition(":")
    broker = open_broker(f"{at[0]}:{free_port()}", structlog.get_logger())
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
        await broker.publish(Message(shop.kind, "a", shop.kind, b""))
    with pytest.raises(Unreachable):
        async with broker.subscribe(shop.kind, "listener"):
            pass
    await broker.close()
    assert time.monotonic() - began < 2 * BOUND
