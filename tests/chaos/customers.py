"""Customers, who place orders through the ingress and keep what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from grpc import aio

from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub
from tests.chaos.wishes import Wish

PAUSE = 0.3
#: Seconds before a customer who was told nothing certain asks again, under the same key, and how often in all.
AGAIN, TRIES = 0.5, 3
_UNCERTAIN = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN")
_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500))


@dataclass(frozen=True)
class Told:
    """What a customer was answered last. ``late``: the most seconds after a deadline, less what this process itself was late by;
    ``returned``: the answer to giving it back, empty for one who did not."""

    wish: Wish
    code: str
    late: float
    returned: str = ""


class Lag:
    """How late the event loop is: what a measurement of this process may be wrong by, in seconds."""

    def __init__(self) -> None:
        self._worst = 0.0

    async def watch(self) -> None:
        """For ever."""
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(0.01)
            self._worst = max(self._worst * 0.99, clock() - before - 0.01)

    def now(self) -> float:
        return self._worst


async def place(address: str, authority: str, wishes: Sequence[Wish], customers: int) -> list[Told]:
    """Every wish, by so many customers at a time. An empty `authority` is the address."""
    told: list[Told] = []
    waiting = iter(wishes)
    lag = Lag()
    options = (*_OPTIONS, ("grpc.default_authority", authority)) if authority else _OPTIONS
    async with aio.insecure_channel(address, options=options) as channel:
        stub: Any = OrdersServiceStub(channel)
        watching = asyncio.create_task(lag.watch())
        async with asyncio.TaskGroup() as group:
            for _ in range(customers):
                group.create_task(_shop(stub, waiting, told, lag))
        watching.cancel()
    return told


async def _shop(stub: Any, waiting: Any, told: list[Told], lag: Lag) -> None:
    for wish in waiting:
        request = pb.PlaceOrderRequest(key=wish.key, customer_id=wish.customer, payment_method=wish.method)
        request.items.add(product_id=wish.product, quantity=wish.quantity)
        placed = await _insist(stub.PlaceOrder, request, wish, lag)
        returned = _NOTHING
        if wish.returns and placed.response:
            back = pb.ReturnOrderRequest(key=wish.key, order_id=placed.response.order.id)
            returned = await _insist(stub.ReturnOrder, back, wish, lag)
        told.append(Told(wish, placed.code, max(placed.late, returned.late), returned.code))
        await asyncio.sleep(PAUSE)


@dataclass(frozen=True)
class _Answer:
    code: str
    late: float
    response: Any = None


_NOTHING = _Answer("", -1.0)


async def _insist(method: Any, request: Any, wish: Wish, lag: Lag) -> _Answer:
    """The last answer, and how late the latest was."""
    last = await _one(method, request, wish, lag)
    for _ in range(TRIES - 1):
        if last.code in _UNCERTAIN:
            await asyncio.sleep(AGAIN)
            again = await _one(method, request, wish, lag)
            last = replace(again, late=max(again.late, last.late))
    return last


async def _one(method: Any, request: Any, wish: Wish, lag: Lag) -> _Answer:
    name, _, value = wish.fault.partition(": ")
    clock = asyncio.get_running_loop().time
    started, response = clock(), None
    try:
        metadata = ((name, value),) if name else ()
        response, code = await method(request, timeout=wish.deadline, metadata=metadata), "OK"
    except aio.AioRpcError as error:
        code = error.code().name
    return _Answer(code, clock() - started - wish.deadline - lag.now(), response)
