"""What notifications tells customers, in TypeScript: once of each event, in order, and to whoever watches as it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import aio

from services.gen.shop.events.v1 import events_pb2 as events
from services.gen.shop.notifications.v1 import notifications_pb2 as pb
from services.gen.shop.notifications.v1.notifications_pb2_grpc import NotificationsServiceStub
from services.kit.events.broker import Message
from tests.services.conformance.habits import details
from tests.services.events.leaves import Leaf, event, leaf, order
from tests.services.events.world import until

METHOD = ("shop.notifications.v1.NotificationsService", "ListNotifications")
PATIENCE = 40


@pytest_asyncio.fixture
async def notifications(tmp_path: Path) -> AsyncIterator[Leaf]:
    async with leaf("notifications", METHOD, tmp_path) as found:
        yield found


async def listed(leaf: Leaf, customer: str = "ada", **more: Any) -> list[tuple[str, str]]:
    """(order, kind), newest first."""
    answer = await leaf.ask(customerId=customer, **more)
    found = answer.get("notifications", ())
    return [(each["orderId"], each["kind"].removeprefix("NOTIFICATION_KIND_ORDER_")) for each in found]


@asynccontextmanager
async def watched(leaf: Leaf, **request: str) -> AsyncIterator[Any]:
    async with aio.insecure_channel(leaf.process.address) as channel:
        stub = NotificationsServiceStub(channel)
        watching = stub.WatchNotifications(pb.WatchNotificationsRequest(**request), timeout=PATIENCE)
        yield watching
        watching.cancel()


async def test_a_customer_is_told_of_each_change_once_and_in_order(notifications: Leaf) -> None:
    placed = event(order("a", ["mug"]), 1, events.OrderPlaced)
    await notifications.tell(placed)
    await notifications.tell(event(order("b", ["tea"], "bob"), 1, events.OrderPlaced))
    await notifications.tell(event(order("a", ["mug"]), 2, events.OrderConfirmed))
    await notifications.tell(placed)
    await notifications.broker.publish(Message("order", "x", "no-event", b"\xff\xff"))
    await notifications.tell(event(order("a", ["mug"]), 3, events.OrderReturned))
    await notifications.tell(event(order("b", ["tea"], "bob"), 2, events.OrderCancelled))

    async def everything() -> list[tuple[str, str]]:
        return await listed(notifications, "")

    await until(everything, lambda found: len(found) == 5)
    assert await listed(notifications) == [("a", "RETURNED"), ("a", "CONFIRMED"), ("a", "PLACED")]
    assert await listed(notifications, "bob") == [("b", "CANCELLED"), ("b", "PLACED")]
    assert ("", "held") in notifications.inbox()
    first = await notifications.ask(customerId="ada", pageSize=1)
    rest = (await notifications.ask(customerId="ada", pageToken=first["nextPageToken"]))["notifications"][-1]
    assert rest["subject"] == "Your order a is being placed"
    assert rest["body"] == "You asked for 1 × mug."


async def test_whoever_watches_is_told_as_it_happens_and_goes_on_where_it_was(notifications: Leaf) -> None:
    await notifications.tell(event(order("a", ["mug"]), 1, events.OrderPlaced))

    async def sent() -> list[tuple[str, str]]:
        return await listed(notifications)

    await until(sent, lambda found: len(found) == 1)
    async with watched(notifications, customer_id="ada", after_id="0") as watching:
        first = (await watching.read()).notification
        assert (first.order_id, first.kind) == ("a", pb.NOTIFICATION_KIND_ORDER_PLACED)
        await notifications.tell(event(order("b", ["tea"], "bob"), 1, events.OrderPlaced))
        await notifications.tell(event(order("a", ["mug"]), 2, events.OrderConfirmed))
        second = (await watching.read()).notification
        assert (second.order_id, second.kind) == ("a", pb.NOTIFICATION_KIND_ORDER_CONFIRMED)
    async with watched(notifications, customer_id="ada", after_id=first.id) as watching:
        assert (await watching.read()).notification == second


async def test_a_watcher_is_told_to_ask_again_when_its_process_leaves(notifications: Leaf) -> None:
    async with watched(notifications, customer_id="ada") as watching:
        reading = asyncio.create_task(watching.read())
        await notifications.ask()  # it answers, so it has the watcher's call, too
        assert await notifications.process.stop() == 0
        with pytest.raises(aio.AioRpcError) as ended:
            await reading
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
        (info,) = next(iter(details(ended.value).values()))
        assert info.reason == "ERROR_REASON_LEAVING"


@pytest.mark.timeout(120)
async def test_an_event_that_cannot_be_handled_holds_back_its_order_alone_until_it_is_replayed(
    notifications: Leaf,
) -> None:
    notifications.rename("notifications", "away")
    await notifications.tell(event(order("a", ["mug"]), 1, events.OrderPlaced))

    async def seen() -> list[tuple[str, str]]:
        return notifications.inbox()

    await until(seen, lambda found: found == [("a", "held")])
    notifications.rename("away", "notifications")
    await notifications.tell(event(order("a", ["mug"]), 2, events.OrderConfirmed))
    await notifications.tell(event(order("b", ["tea"]), 1, events.OrderPlaced))
    await until(seen, lambda found: found == [("a", "held"), ("a", "waiting"), ("b", "done")])
    assert "a-1" in notifications.deadletters("list")
    assert notifications.deadletters("replay", "a-1") == "1 to be tried again\n"
    await until(seen, lambda found: {state for _, state in found} == {"done"})
    assert await listed(notifications) == [("a", "CONFIRMED"), ("a", "PLACED"), ("b", "PLACED")]
    assert notifications.deadletters("list") == "no dead letters\n"


async def test_it_goes_on_where_it_was_when_it_or_the_broker_was_away(notifications: Leaf) -> None:
    assert await notifications.process.stop() == 0
    await notifications.tell(event(order("a", ["mug"]), 1, events.OrderPlaced))
    await notifications.process.start()
    await notifications.process.ready()

    async def sent() -> list[tuple[str, str]]:
        return await listed(notifications)

    await until(sent, lambda found: found == [("a", "PLACED")])
    await notifications.server.stop()
    await notifications.server.start()
    await notifications.tell(event(order("a", ["mug"]), 2, events.OrderConfirmed))
    await until(sent, lambda found: found == [("a", "CONFIRMED"), ("a", "PLACED")])
