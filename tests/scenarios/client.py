"""A gRPC client that runs where a workload makes its calls, and is told by JSON lines on stdin what to send.

It stands alone, and knows only the standard library, grpc and the shop's contracts: on a cluster its text is handed to the Python of a
pod. It says ``ready`` first. Each line in is an order, each line out the list of its answers, in the order in which they came:

    {"target", "authority", "method", "request", "headers", "timeout", "count", "concurrency"}
    the same with "seconds" and "pause" in place of "count": one after each pause, until then or until the line {"stop": true}

An answer is {"code", "message", "response", "headers", "seconds"}; headers are the initial and the trailing metadata that are text.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import sys
import time
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory

import services.gen.shop

Order = dict[str, Any]


def learn_contracts() -> None:
    """Put all messages of the shop, and those of health, into the default pool."""
    for found in pkgutil.walk_packages(services.gen.shop.__path__, "services.gen.shop."):
        if found.name.endswith("_pb2"):
            importlib.import_module(found.name)
    importlib.import_module("grpc_health.v1.health_pb2")


def prepared(order: Order, channel: grpc.aio.Channel) -> tuple[Callable[..., Any], Any]:
    """The method, ready to be called, and its request."""
    service, _, name = order["method"].partition("/")
    method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    request = message_factory.GetMessageClass(method.input_type)
    response = message_factory.GetMessageClass(method.output_type)
    call = channel.unary_unary(f"/{order['method']}", request.SerializeToString, response.FromString)
    return call, json_format.ParseDict(order["request"], request())


async def one(call: Callable[..., Any], request: Any, order: Order) -> dict[str, Any]:
    started = time.perf_counter()
    going = call(request, timeout=order["timeout"], metadata=tuple(order["headers"].items()))
    code, message, response = "OK", "", {}
    try:
        response = json_format.MessageToDict(await going)
    except grpc.aio.AioRpcError as error:
        code, message = error.code().name, error.details() or ""
    seconds = time.perf_counter() - started
    metadata = [*(await going.initial_metadata() or ()), *(await going.trailing_metadata() or ())]
    headers = {key: value for key, value in metadata if isinstance(value, str)}
    return {"code": code, "message": message, "response": response, "headers": headers, "seconds": seconds}


async def send(order: Order, stop: asyncio.Event) -> list[dict[str, Any]]:
    left, end = order.get("count", sys.maxsize), time.perf_counter() + order.get("seconds", 600)
    answers: list[dict[str, Any]] = []
    authority = [("grpc.default_authority", order["authority"])] if order["authority"] else []
    options = [("grpc.use_local_subchannel_pool", 1), *authority]
    async with grpc.aio.insecure_channel(order["target"], options=options) as channel:
        call, request = prepared(order, channel)

        async def caller() -> None:
            nonlocal left
            while left > 0 and not stop.is_set() and time.perf_counter() < end:
                left -= 1
                answers.append(await one(call, request, order))
                await asyncio.sleep(order.get("pause", 0))

        await asyncio.gather(*(caller() for _ in range(order["concurrency"])))
    return answers


async def main() -> None:
    learn_contracts()
    lines = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("ready", flush=True)
    stop, reading = asyncio.Event(), asyncio.create_task(lines.readline())
    while line := await reading:
        stop.clear()
        sending = asyncio.create_task(send(json.loads(line), stop))
        reading = asyncio.create_task(lines.readline())
        await asyncio.wait([sending, reading], return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            stop.set()
            reading = asyncio.create_task(lines.readline()) if reading.result() else reading
        print(json.dumps(await sending), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
