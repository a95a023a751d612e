"""Customers, who place orders through the ingress and keep what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
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
    """What a customer was answered last. ``late``: the most seconds after a deadline, less what this process itself was late by."""

    wish: Wish
    code: str
    late: float


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


async def place(address: str, wishes: Sequence[Wish], customers: int) -> list[Told]:
    """Every wish, by so many customers at a time."""
    told: list[Told] = []
    waiting = iter(wishes)
    lag = Lag()
    async with aio.insecure_channel(address, options=_OPTIONS) as channel:
        stub: Any = OrdersServiceStub(channel)
        watching = asyncio.create_task(lag.watch())
        async with asyncio.TaskGroup() as group:
            for _ in range(customers):
                group.create_task(_shop(stub, waiting, told, lag))
        watching.cancel()
    return told


async def _shop(stub: Any, waiting: Any, told: list[Told], lag: Lag) -> None:
    for wish in waiting:
        last = await _one(stub, wish, lag)
        for _ in range(TRIES - 1):
            if last.code in _UNCERTAIN:
                await asyncio.sleep(AGAIN)
                again = await _one(stub, wish, lag)
                last = Told(wish, again.code, max(again.late, last.late))
        told.append(last)
        await asyncio.sleep(PAUSE)


async def _one(stub: Any, wish: Wish, lag: Lag) -> Told:
    request = pb.PlaceOrderRequest(key=wish.key, customer_id=wish.customer, payment_method=wish.method)
    request.items.add(product_id=wish.product, quantity=wish.quantity)
    name, _, value = wish.fault.partition(": ")
    clock = asyncio.get_running_loop().time
    started = clock()
    try:
        metadata = ((name, value),) if name else ()
        await stub.PlaceOrder(request, timeout=wish.deadline, metadata=metadata)
        code = "OK"
    except aio.AioRpcError as error:
        code = error.code().name
    return Told(wish, code, clock() - started - wish.deadline - lag.now())
