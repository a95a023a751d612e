"""Events that cannot be published, or not be handled: they hold back their own aggregate until people decide."""

import asyncio
import signal

import pytest
import structlog
from structlog.testing import capture_logs

from services.gen.shop.events.v1.events_pb2 import Envelope
from services.kit.events import deadletters, lag
from services.kit.events.broker import Message
from services.kit.events.deadletters import DeadLetter
from services.kit.telemetry import Recorder
from tests.services.events.world import World, in_order, now, running, until

TOO_MUCH = 70_000  # more than the server takes


async def unpublished(shop: World) -> list[DeadLetter]:
    return await shop.dead(shop.telling)


async def held(shop: World) -> list[DeadLetter]:
    return await shop.dead(shop.hearing)


async def test_an_event_that_the_broker_rejects_holds_back_its_aggregate_until_it_is_replayed(
    shop: World,
) -> None:
    await shop.tell("a")
    big = (await shop.tell("a", weight=TOO_MUCH))[0]
    await shop.tell("a")
    await shop.tell("b", 3)
    async with running(shop.relay().run(), shop.consumer().run()):
        dead = await until(lambda: unpublished(shop), bool)
        await shop.until_effects(4)
        assert [(letter.id, letter.aggregate, letter.sequence) for letter in dead] == [
            (big.event_id, f"{shop.kind}/a", 2)
        ]
        assert "payload" in dead[0].error
        assert (await shop.lag()).dead == 1
        assert in_order(await shop.effects()) == {"a": [1], "b": [1, 2, 3]}

        await shop.server.stop(signal.SIGTERM)
        shop.server.largest = 1 << 20
        await shop.server.start()
        async with shop.telling.write() as connection:
            assert await deadletters.replay(connection, [big.event_id]) == 1
        assert in_order(await shop.until_effects(6)) == {"a": [1, 2, 3], "b": [1, 2, 3]}
        assert await unpublished(shop) == []


async def test_lag_is_measured_and_said_while_there_is_some(shop: World) -> None:
    telemetry = Recorder()
    await shop.tell("a", weight=TOO_MUCH)
    await shop.tell("a")

    async def dead() -> float:
        return telemetry.gauges.get(lag.DEAD, 0)

    with capture_logs() as said:
        watching = lag.watch(shop.telling, now, structlog.get_logger(), telemetry, 0.05)
        async with running(shop.relay().run(), watching):
            await until(dead, lambda count: count == 1)
            assert telemetry.gauges[lag.WAITING] == 1
            assert telemetry.gauges[lag.OLDEST] > 0
            async with shop.telling.write() as connection:
                await deadletters.discard(connection)
            await until(dead, lambda count: count == 0)
    lines = [line["event"] for line in said if line["event"].startswith("events are")]
    assert lines[0] == "events are behind"
    assert lines[-1] == "events are no longer behind"


async def test_what_comes_after_a_discarded_event_is_published(shop: World) -> None:
    await shop.tell("a", weight=TOO_MUCH)
    await shop.tell("a")
    async with running(shop.relay().run(), shop.consumer().run()):
        await until(lambda: unpublished(shop), bool)
        async with shop.telling.write() as connection:
            assert await deadletters.discard(connection) == 1
        assert await shop.until_effects(1) == [("a", 2)]


async def test_a_handler_that_fails_is_tried_again_in_order(shop: World) -> None:
    tries: list[str] = []

    def fails_twice(envelope: Envelope) -> bool:
        tries.append(envelope.event_id)
        return envelope.sequence == 2 and tries.count(envelope.event_id) < 3

    shop.fails = fails_twice
    told = [event.event_id for event in await shop.tell("a", 3)]
    async with running(shop.relay().run(), shop.consumer().run()):
        assert await shop.until_effects(3) == [("a", 1), ("a", 2), ("a", 3)]
    assert tries == [told[0], told[1], told[1], told[1], told[2]]
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
        assert "does not please" in dead[0].error

        async with shop.hearing.write() as connection:
            assert await deadletters.replay(connection) == 1
        await until(lambda: held(shop), bool)
        assert in_order(await shop.effects()) == {"a": [1], "b": [1, 2]}

        shop.fails = lambda envelope: False
        async with shop.hearing.write() as connection:
            assert await deadletters.replay(connection) == 1
        assert in_order(await shop.until_effects(6)) == {"a": [1, 2, 3, 4], "b": [1, 2]}
        await shop.tell("a")
        assert (await shop.until_effects(7))[-1] == ("a", 5)


async def test_what_comes_after_a_discarded_event_is_handled(shop: World) -> None:
    shop.fails = lambda envelope: (envelope.aggregate_id, envelope.sequence) == ("a", 1)
    await shop.tell("a", 2)
    async with running(shop.relay().run(), shop.consumer().run()):
        dead = await until(lambda: held(shop), bool)
        async with shop.hearing.write() as connection:
            assert await deadletters.discard(connection, [dead[0].id]) == 1
        assert await shop.until_effects(1) == [("a", 2)]
        await shop.broker.publish(Message(shop.kind, "a", f"{shop.kind} again", dead[0].body))
        await shop.tell("b")
        assert await shop.until_effects(2) == [("a", 2), ("b", 1)]


@pytest.mark.parametrize("body", [b"", b"\xff\xff not an event"])
async def test_what_is_no_event_is_held_and_nothing_waits_for_it(shop: World, body: bytes) -> None:
    async with running(shop.relay().run(), shop.consumer().run()):
        await shop.broker.publish(Message(shop.kind, "a", f"nonsense {shop.kind}", body))
        await shop.tell("a")
        assert await shop.until_effects(1) == [("a", 1)]
    assert [letter.body for letter in await held(shop)] == [body]


async def test_people_list_replay_and_discard_by_command(
    shop: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command(*arguments: str) -> str:
        capsys.readouterr()
        code = await asyncio.to_thread(deadletters.main, arguments, {"DATABASE_URL": shop.urls[0]})
        assert code == 0
        return capsys.readouterr().out.strip()

    big = (await shop.tell("a", weight=TOO_MUCH))[0]
    async with running(shop.relay().run()):
        await until(lambda: unpublished(shop), bool)
    told = await command("list")
    assert told.startswith(f"outbox  {big.event_id}  {shop.kind}/a #1  ")
    assert '"orderPlaced"' in told
    assert await command("replay", big.event_id) == "1 to be tried again"
    assert await command("list") == "no dead letters"
    assert await command("discard", "all") == "0 discarded"
