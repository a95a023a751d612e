"""A closed-loop load of orders: so many customers, each placing its next order when the last one is answered; by gRPC or by REST.

Runs in a process of its own (`python -m tests.bench.orders`), told by JSON on stdin, as load does. Each order has a key of its own, and is
for one product of which there is plenty.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass

from tests.bench.load import Figures

PRODUCT = "mug"
Place = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True)
class Customers:
    """``way``: grpc or rest, to the address ``target``; ``warmup`` seconds are not counted."""

    way: str
    target: str
    count: int
    seconds: float = 4.0
    warmup: float = 0.7


def run(customers: Customers) -> Figures:
    """What they were answered, from a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.orders"],
        input=json.dumps(asdict(customers)),
        capture_output=True,
        text=True,
        timeout=customers.seconds + customers.warmup + 60,
        check=True,
    )
    return Figures(**json.loads(done.stdout))


async def send(customers: Customers) -> Figures:
    latencies: list[float] = []
    failed = 0
    begin = time.perf_counter() + customers.warmup
    end = begin + customers.seconds

    async def customer() -> None:
        nonlocal failed
        async with _WAYS[customers.way](customers.target) as place:
            while (started := time.perf_counter()) < end:
                placed = await place(uuid.uuid4().hex)
                if begin <= started:
                    failed += not placed
                    latencies.append(time.perf_counter() - started)

    async with asyncio.TaskGroup() as group:
        for _ in range(customers.count):
            group.create_task(customer())
    took = time.perf_counter() - begin
    cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return Figures(
        len(latencies), failed, len(latencies) / took, round(cuts[49] * 1000, 1), round(cuts[98] * 1000, 1)
    )


@asynccontextmanager
async def _grpc(target: str):  # type: ignore[no-untyped-def]
    """A connection for each customer, as it is for people."""
    from grpc import aio

    from services.gen.shop.orders.v1 import orders_pb2 as pb
    from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub

    async with aio.insecure_channel(target, options=(("grpc.use_local_subchannel_pool", 1),)) as channel:
        stub = OrdersServiceStub(channel)

        async def place(key: str) -> bool:
            request = pb.PlaceOrderRequest(key=key, customer_id="bench", payment_method="tok_visa")
            request.items.add(product_id=PRODUCT, quantity=1)
            try:
                await stub.PlaceOrder(request, timeout=10)
            except aio.AioRpcError:
                return False
            return True

        yield place


@asynccontextmanager
async def _rest(target: str):  # type: ignore[no-untyped-def]
    """HTTP/1.1 as little as it takes, so that the client is not what is measured."""
    host, _, port = target.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    order = {"customer_id": "bench", "items": [{"product_id": PRODUCT, "quantity": 1}]}
    body = json.dumps({**order, "payment_method": "tok_visa"}).encode()

    async def place(key: str) -> bool:
        lines = ("POST /v1/orders HTTP/1.1", f"host: {target}", "content-type: application/json")
        head = "\r\n".join((*lines, f"idempotency-key: {key}", f"content-length: {len(body)}", "", ""))
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in answer.split("\r\n")[1:] if ": " in line)
        await reader.readexactly(int(fields["content-length"]))
        return answer.split()[1] == "201"

    try:
        yield place
    finally:
        writer.close()


_WAYS: dict[str, Callable[[str], AbstractAsyncContextManager[Place]]] = {"grpc": _grpc, "rest": _rest}


if __name__ == "__main__":
    import uvloop

    json.dump(asdict(uvloop.run(send(Customers(**json.loads(sys.stdin.read()))))), sys.stdout)
