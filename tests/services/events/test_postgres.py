"""What only a server's database can show: transactions side by side, of several processes."""

import asyncio

from services.gen.shop.events.v1.events_pb2 import Envelope, OrderPlaced
from services.kit.events import deadletters
from services.kit.events.envelope import Event
from tests.services.events.world import World, in_order, running, until


async def test_the_numbers_of_an_aggregate_are_the_order_of_its_commits(shop_on_postgres: World) -> None:
    shop = shop_on_postgres
    event = Event(shop.kind, "a", OrderPlaced())

    async def second() -> Envelope:
        async with shop.telling.write() as connection:
            return await shop.outbox.add(connection, event)

    async with shop.telling.write() as connection:
        first = await shop.outbox.add(connection, event)
        other = asyncio.create_task(second())
        await shop.tell("b")
        assert not other.done()
    assert (first.sequence, (await other).sequence) == (1, 2)


async def test_several_relays_and_consumers_give_each_event_one_effect_in_order(
    shop_on_postgres: World,
) -> None:
    shop = shop_on_postgres
    refused: set[str] = set()

    def fails_once(envelope: Envelope) -> bool:
        new = envelope.sequence % 7 == 3 and envelope.event_id not in refused
        refused.add(envelope.event_id)
        return new

    shop.fails = fails_once
    relays = [shop.relay(owner).run() for owner in ("one", "two")]
    async with running(*relays, shop.consumer().run(), shop.consumer().run()):
        await asyncio.gather(*(shop.tell(aggregate, 10) for aggregate in "aaabbc"))
        effects = await shop.until_effects(60)
    assert in_order(effects) == {"a": [*range(1, 31)], "b": [*range(1, 21)], "c": [*range(1, 11)]}


async def test_a_dead_letter_is_replayed_once_by_several_consumers(shop_on_postgres: World) -> None:
    shop = shop_on_postgres
    shop.fails = lambda envelope: envelope.sequence == 1
    await shop.tell("a", 5)
    async with running(shop.relay().run(), shop.consumer().run(), shop.consumer().run()):
        await until(lambda: shop.dead(shop.hearing), bool)
        shop.fails = lambda envelope: False
        async with shop.hearing.write() as connection:
            assert await deadletters.replay(connection) == 1
        await until(lambda: shop.dead(shop.hearing), lambda dead: not dead)
        await shop.until_effects(5)
        await shop.tell("b")
        assert in_order(await shop.until_effects(6)) == {"a": [1, 2, 3, 4, 5], "b": [1]}
