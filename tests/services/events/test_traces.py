"""An event is in the trace of the change that it tells of: published there, handled there, with what that does."""

import random

from sqlalchemy import text

from services.kit import trace
from services.kit.call import CURRENT, Call
from services.kit.database import Database
from services.kit.events import relay
from services.kit.events.consumer import Consumer, Subscription
from services.kit.events.consumer import Tools as Hearing
from services.kit.events.relay import Relay
from services.kit.telemetry import Done, Finished, Recorder
from tests.services.events.world import CONSUMER, RELAY, World, now, running, until


def call(shop: World, sampled: bool) -> Call:
    span = trace.continued(None, float(sampled), random.Random(3))
    return Call("place", 60.0, lambda: [("traceparent", span.header)], shop.origin)


async def told(shop: World, about: Call) -> None:
    outer = CURRENT.set(about)
    try:
        await shop.tell("a")
    finally:
        CURRENT.reset(outer)


async def recorded(shop: World, about: Call) -> list[Finished | Done]:
    """What a relay and a consumer record of an event that the call tells."""
    telemetry, found = Recorder(), list[Finished | Done]()
    await told(shop, about)
    telling = relay.Tools(
        shop.telling, shop.outbox, shop.broker, "here", now, shop.random, shop.log, telemetry
    )
    hearing = Hearing(shop.hearing, shop.broker, now, shop.log, shop.origin, telemetry)
    consumer = Consumer(Subscription(shop.kind, "listener", shop.handle), hearing, CONSUMER)
    async with running(Relay(telling, RELAY).run(), consumer.run()):
        await shop.until_effects(1)
        await until(shop.lag, lambda lag: lag.waiting == 0)
    found += telemetry.take()
    return found


async def test_an_event_is_published_and_handled_in_the_trace_of_its_change(shop: World) -> None:
    about = call(shop, sampled=True)
    found = [done for done in await recorded(shop, about) if isinstance(done, Done)]
    assert sorted(done.work.name for done in found) == [
        f"process events.{shop.kind}",
        f"publish events.{shop.kind}",
    ]
    assert {(done.span.trace_id, done.span.parent) for done in found} == {
        (about.span.trace_id, about.span.span_id)
    }
    assert not any(done.faulty for done in found)


async def test_of_a_trace_that_is_not_recorded_nothing_is(shop: World) -> None:
    assert await recorded(shop, call(shop, sampled=False)) == []


async def test_a_transaction_of_a_call_is_a_span_of_its_trace(shop: World) -> None:
    telemetry, about = Recorder(), call(shop, sampled=True)
    database = Database(shop.urls[0], telemetry)
    async with database.read() as connection:  # nobody's
        await connection.execute(text("SELECT 1"))
    outer = CURRENT.set(about)
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
    CURRENT.reset(outer)
    await database.close()
    (done,) = telemetry.take()
    assert isinstance(done, Done)
    assert done.work.name == "database write"
    assert dict(done.work.attributes) == {"db.system.name": "sqlite", "db.operation.name": "write"}
    assert (done.span.trace_id, done.span.parent) == (about.span.trace_id, about.span.span_id)
