"""Sagas that take long, fail again and again, or are taken from the process that works on them."""

import asyncio
from collections.abc import Sized
from datetime import timedelta

import pytest
import structlog

from services.kit.errors import NotFound, Refused
from services.kit.saga import operating, store
from services.kit.saga.machine import Phase
from services.kit.saga.store import Saga
from services.kit.saga.watch import OLDEST, STUCK, UNFINISHED, watch
from services.kit.telemetry import Recorder
from tests.services.events.world import running, until
from tests.services.saga.world import GONE, KIND, PACE, REFUSED, World, now

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("postgres")]


async def sized(things: Sized) -> int:
    return len(things)


def ended(saga: Saga) -> bool:
    return saga.state.finished


async def test_a_step_longer_than_the_lease_is_not_taken_over(world: World) -> None:
    async def long(name: str) -> None:
        await asyncio.sleep(2.5 * PACE.lease if name == "lift" else 0)

    world.before = long
    definition = world.definition()
    async with world.runner(definition) as runner, world.runner(definition, "two"):
        await world.begin(runner)
        assert (await world.comes_to(ended)).state.phase is Phase.DONE
    assert world.done == ["lift", "drive"]


async def test_an_undo_that_keeps_failing_is_stuck_until_it_succeeds(world: World) -> None:
    mended = False

    async def fail(name: str) -> None:
        if name == "drive":
            raise REFUSED
        if name == "set down" and not mended:
            raise GONE

    world.before = fail
    recorder = Recorder()
    async with world.runner(world.definition(patience=3)) as runner:
        await world.begin(runner)
        stuck = await world.comes_to(lambda saga: saga.stuck)
        assert (stuck.state.phase, stuck.attempts, stuck.owner) == (Phase.UNDO, 3, "")
        assert "no crane" in stuck.error
        assert stuck.due is not None
        assert stuck.due > now() + timedelta(seconds=PACE.stuck / 2), "it is tried now and then only"
        assert world.said.count("error: a saga is stuck") == 1
        async with running(watch(world.database, now, structlog.get_logger(), recorder, 0.05)):
            await until(lambda: sized(recorder.gauges), bool)
        assert recorder.gauges[STUCK] == recorder.gauges[UNFINISHED] == 1
        assert recorder.gauges[OLDEST] > 0

        mended = True
        async with world.database.write() as connection:
            assert [saga.id for saga in await store.page(connection, "", 9, stuck=True)] == ["house"]
            await operating.retry(connection, "house", now())
        assert (await world.comes_to(ended)).state.phase is Phase.UNDONE
    assert world.told == ["forward", "undo", "undo", "undo", "undo", "undone"]
    async with world.database.read() as connection:
        assert (await store.count(connection, now())).stuck == 0


async def test_a_step_from_which_no_way_leads_back_gets_stuck_rather_than_undone(world: World) -> None:
    mended = False

    async def fail(name: str) -> None:
        if name == "drive" and not mended:
            raise GONE

    world.before = fail
    definition = world.definition(final=True)
    async with world.runner(definition) as runner:
        await world.begin(runner)
        await world.comes_to(lambda saga: saga.stuck)
        async with world.database.write() as connection:
            with pytest.raises(Refused, match="no way leads back from 'drive'"):
                await operating.compensate(connection, {KIND: definition}, "house", now())
        mended = True
        async with world.database.write() as connection:
            await operating.retry(connection, "house", now())
        assert (await world.comes_to(ended)).state.phase is Phase.DONE


async def test_what_is_compensated_while_it_is_worked_on_is_undone_and_its_worker_cannot_write(
    world: World,
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(name: str) -> None:
        if name == "lift":
            begun.set()
            await go_on.wait()

    world.before = wait
    definition = world.definition()
    async with world.runner(definition) as runner:
        await world.begin(runner)
        await begun.wait()
        async with world.database.write() as connection:
            await operating.compensate(connection, {KIND: definition}, "house", now())
        async with world.runner(definition, "two"):
            assert (await world.comes_to(ended)).state.phase is Phase.UNDONE
        go_on.set()
    assert world.done == ["lift", "set down"]
    assert world.told == ["undo", "undone"]


async def test_a_process_that_lost_its_lease_gives_its_step_up(world: World) -> None:
    given_up = asyncio.Event()

    async def hang(name: str) -> None:
        if name == "lift":
            try:
                await asyncio.Event().wait()
            finally:
                given_up.set()

    world.before = hang
    definition = world.definition()
    async with world.runner(definition) as runner:
        await world.begin(runner)
        await until(lambda: sized(world.done), bool)
        async with world.database.write() as connection:
            taken = await store.get(connection, "house")
            assert taken
            await store.keep(connection, taken, "another", now() + timedelta(seconds=60))
        async with asyncio.timeout(20):
            await given_up.wait()
    assert "warning: saga left to another, who has taken it" in world.said
    assert (await world.get()).owner == "another"


async def test_one_whose_process_died_is_taken_over_by_one_of_many(world: World) -> None:
    definition = world.definition()
    async with world.database.write() as connection:
        await store.add(connection, Saga("house", KIND, ""), "dead", now(), timedelta(seconds=0.2))
        await store.add(connection, Saga("barn", "something newer", ""), "dead", now(), timedelta(0))
    async with (
        world.runner(definition, "one"),
        world.runner(definition, "two"),
        world.runner(definition, "three"),
    ):
        await world.comes_to(ended)
    assert world.done == ["lift", "drive"]
    assert (await world.get("barn")).owner == "dead", "what this version does not know is left to others"


async def test_an_operator_is_told_what_cannot_be_done(world: World) -> None:
    definition = world.definition()
    async with world.runner(definition) as runner:
        await world.begin(runner)
        await world.comes_to(ended)
    async with world.database.write() as connection:
        with pytest.raises(NotFound):
            await operating.retry(connection, "none", now())
        with pytest.raises(Refused, match="has come to its end"):
            await operating.retry(connection, "house", now())
