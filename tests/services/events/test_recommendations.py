"""What recommendations learns from events, in Go: each once, in order, and held for people when it cannot be handled."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.gen.shop.events.v1.events_pb2 import Envelope, OrderConfirmed, OrderPlaced
from services.kit.events.broker import Message
from tests.services.events.leaves import Leaf, event, leaf, order
from tests.services.events.world import until

METHOD = ("shop.recommendations.v1.RecommendationsService", "ListRecommendations")


@pytest_asyncio.fixture
async def recommendations(tmp_path: Path) -> AsyncIterator[Leaf]:
    async with leaf("recommendations", METHOD, tmp_path) as found:
        yield found


async def listed(leaf: Leaf, *products: str, **more: int) -> list[tuple[str, int]]:
    answer = await leaf.ask(productIds=products, **more)
    return [(each["productId"], int(each["orders"])) for each in answer.get("recommendations", ())]


async def confirmed(leaf: Leaf, order_id: str, *products: str) -> None:
    await leaf.tell(event(order(order_id, products), 1, OrderPlaced))
    await leaf.tell(event(order(order_id, products), 2, OrderConfirmed))


async def test_what_is_bought_together_is_recommended_the_most_bought_first(recommendations: Leaf) -> None:
    await confirmed(recommendations, "a", "mug", "tea", "pot")
    await confirmed(recommendations, "b", "mug", "tea")
    await confirmed(recommendations, "c", "scarf", "tea")

    async def learnt() -> list[tuple[str, int]]:
        return await listed(recommendations, "tea")

    await until(learnt, lambda found: len(found) == 3)
    assert await listed(recommendations, "tea") == [("mug", 2), ("pot", 1), ("scarf", 1)]
    assert await listed(recommendations, "mug", "scarf") == [("tea", 3), ("pot", 1)]
    assert await listed(recommendations, "tea", limit=1) == [("mug", 2)]
    assert await listed(recommendations, "unknown") == []


async def test_an_event_that_comes_twice_counts_once_and_one_that_is_none_is_held(
    recommendations: Leaf,
) -> None:
    told = event(order("a", ["mug", "tea"]), 1, OrderConfirmed)
    await recommendations.tell(told)
    await recommendations.broker.publish(Message("order", "x", "no-event", b"\xff\xff"))
    await recommendations.tell(told)
    await recommendations.tell(Envelope(event_id="z-1", aggregate_kind="order", aggregate_id="z", sequence=1))

    async def seen() -> list[tuple[str, str]]:
        return recommendations.inbox()

    found = await until(seen, lambda found: len(found) == 3)
    assert found == [("", "held"), ("a", "done"), ("z", "done")]
    assert await listed(recommendations, "mug") == [("tea", 1)]


@pytest.mark.timeout(120)
async def test_an_event_that_cannot_be_handled_holds_back_its_order_alone_until_it_is_replayed(
    recommendations: Leaf,
) -> None:
    recommendations.rename("together", "away")
    await recommendations.tell(event(order("a", ["mug", "tea"]), 1, OrderConfirmed))

    async def seen() -> list[tuple[str, str]]:
        return recommendations.inbox()

    await until(seen, lambda found: found == [("a", "held")])
    recommendations.rename("away", "together")
    await recommendations.tell(event(order("a", ["mug", "pot"]), 2, OrderConfirmed))
    await recommendations.tell(event(order("b", ["mug", "scarf"]), 1, OrderConfirmed))
    await until(seen, lambda found: found == [("a", "held"), ("a", "waiting"), ("b", "done")])
    assert await listed(recommendations, "mug") == [("scarf", 1)]
    assert "a-1" in recommendations.deadletters("list")
    assert recommendations.deadletters("replay", "a-1") == "1 to be tried again\n"
    await until(seen, lambda found: {state for _, state in found} == {"done"})
    assert await listed(recommendations, "mug") == [("pot", 1), ("scarf", 1), ("tea", 1)]
    assert recommendations.deadletters("list") == "no dead letters\n"


async def test_it_goes_on_where_it_was_when_it_or_the_broker_was_away(
    recommendations: Leaf,
) -> None:
    await confirmed(recommendations, "a", "mug", "tea")
    assert await recommendations.process.stop() == 0
    await confirmed(recommendations, "b", "mug", "tea")
    await recommendations.process.start()
    await recommendations.process.ready()

    async def learnt() -> list[tuple[str, int]]:
        return await listed(recommendations, "mug")

    await until(learnt, lambda found: found == [("tea", 2)])
    await recommendations.server.stop()
    await recommendations.server.start()
    await confirmed(recommendations, "c", "mug", "tea")
    await until(learnt, lambda found: found == [("tea", 3)])
