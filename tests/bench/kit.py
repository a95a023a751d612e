"""What the services' kit costs: the same method served in four ways.

    bare     grpc.aio and the generated code, nothing else
    kit      services/kit, one trace in ten recorded, spans and metrics kept for export
    stock    grpc.aio with OpenTelemetry's interceptor, one trace in ten recorded, spans batched for export
    usual    grpc's threads, OpenTelemetry's instrumentor as before, and a line a call by Python's logging

In one process each, those of grpc.aio on uvloop, called from another. Rounds are interleaved, so that whatever else the machine
does hits all of them. Throughput is calls a second of the server's CPU: what one core can answer, whether or not the
client keeps up. About 35 s.
"""

import asyncio
import multiprocessing
import os
import statistics
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.bench.report import Row, ratio

ROUNDS = 5
CALLS = 2000
AT_ONCE = 16
START = 30.0
SHARE = 0.1
HEADERS = (
    ("x-request-id", "8d1bd0c6-5f4e-4a93-9f52-9f5d7a3f2c11"),
    ("x-forwarded-proto", "http"),
    ("x-envoy-attempt-count", "1"),
)


async def bare(servicer: Any, options: Any = ()) -> Any:
    from grpc import aio

    from services.gen.shop.orders.v1.orders_pb2_grpc import add_OrdersServiceServicer_to_server

    server = aio.server(**dict(options))
    add_OrdersServiceServicer_to_server(servicer, server)
    return server


async def kit(servicer: Any) -> Any:
    import random

    from grpc import aio

    from services.gen.shop.orders.v1 import orders_pb2
    from services.kit import boundary, life, logs, settings, telemetry
    from services.kit.answer import Boundary
    from services.kit.call import Origin
    from services.kit.contract import contract_of
    from services.kit.door import Door

    read = settings.from_environment("orders", {})
    contract = orders_pb2.DESCRIPTOR.services_by_name["OrdersService"]
    origin = Origin(SHARE, random.Random(1), development=False)
    log, leaving = logs.configure(read), asyncio.Event()
    around = Boundary(read, contract_of(contract), telemetry.Recorder(), origin, log, leaving)
    door = Door(contract.full_name)
    door.open(boundary.handler(contract, servicer, around))
    server = aio.server()
    server.add_generic_rpc_handlers((door,))
    life.settle()
    return server


async def stock(servicer: Any) -> Any:
    from opentelemetry.instrumentation.grpc import aio_server_interceptor

    return await bare(servicer, (("interceptors", (aio_server_interceptor(tracer_provider=_traces()),)),))


def _traces() -> Any:
    """A provider whose spans are batched, and exported to nowhere."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    class Nowhere(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider(sampler=ParentBasedTraceIdRatio(SHARE))
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    return provider


def serve(make: Callable[[Any], Any], pipe: Connection) -> None:
    """A process of its own: tells its port, then serves until it is terminated."""
    import uvloop

    from services.gen.shop.orders.v1 import orders_pb2 as pb
    from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceServicer

    class Orders(OrdersServiceServicer):
        async def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:
            order = pb.Order(id=request.id, customer_id="customer", state=pb.ORDER_STATE_CONFIRMED)
            order.lines.add(product_id="mug", quantity=2)
            return pb.GetOrderResponse(order=order)

    async def run() -> None:
        server = await make(Orders())
        pipe.send(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        await server.wait_for_termination()

    uvloop.run(run())


def serve_as_usual(pipe: Connection) -> None:
    """The same as most are written."""
    import logging
    from concurrent.futures import ThreadPoolExecutor

    import grpc
    from opentelemetry.instrumentation.grpc import GrpcInstrumentorServer

    from services.gen.shop.orders.v1 import orders_pb2 as pb
    from services.gen.shop.orders.v1 import orders_pb2_grpc

    class Orders(orders_pb2_grpc.OrdersServiceServicer):
        def GetOrder(self, request: pb.GetOrderRequest, context: Any) -> pb.GetOrderResponse:
            logging.getLogger("orders").info("GetOrder %s", request.id)
            order = pb.Order(id=request.id, customer_id="customer", state=pb.ORDER_STATE_CONFIRMED)
            order.lines.add(product_id="mug", quantity=2)
            return pb.GetOrderResponse(order=order)

    logging.basicConfig(filename=os.devnull, level=logging.INFO)
    GrpcInstrumentorServer().instrument(tracer_provider=_traces())
    server = grpc.server(ThreadPoolExecutor(max_workers=10))
    orders_pb2_grpc.add_OrdersServiceServicer_to_server(Orders(), server)
    pipe.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    server.wait_for_termination()


def cpu(pid: int) -> float:
    """CPU seconds of a process, all threads."""
    fields = Path(f"/proc/{pid}/schedstat").read_text().split()
    threads = Path(f"/proc/{pid}/task").iterdir()
    return (
        sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9 if fields else 0.0
    )


async def round_of(port: int, pid: int, calls: int) -> float:
    """Calls a second of the server's CPU."""
    from grpc import aio

    from services.gen.shop.orders.v1 import orders_pb2 as pb
    from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub

    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub, request = OrdersServiceStub(channel), pb.GetOrderRequest(id="order-1")

        async def client() -> None:
            for _ in range(calls // AT_ONCE):
                await stub.GetOrder(request, timeout=5, metadata=HEADERS)

        used = cpu(pid)
        await asyncio.gather(*(client() for _ in range(AT_ONCE)))
        return calls / (cpu(pid) - used)


def measure() -> dict[str, list[float]]:
    """Calls a second of its CPU for each way, round by round."""
    import uvloop

    context = multiprocessing.get_context("spawn")
    ways: dict[str, tuple[Callable[..., None], tuple[Any, ...]]] = {
        "bare": (serve, (bare,)),
        "kit": (serve, (kit,)),
        "stock": (serve, (stock,)),
        "usual": (serve_as_usual, ()),
    }
    servers = {}
    for name, (target, make) in ways.items():
        ours, theirs = context.Pipe()
        process = context.Process(target=target, args=(*make, theirs), daemon=True)
        process.start()
        if not ours.poll(START):
            raise RuntimeError(f"the server of {name} did not start; it has said why above")
        servers[name] = (process, ours.recv())
    results: dict[str, list[float]] = {name: [] for name in ways}
    try:
        for turn in range(ROUNDS + 1):
            for name, (process, port) in servers.items():
                result = uvloop.run(round_of(port, process.pid, CALLS if turn else CALLS // 4))
                if turn:
                    results[name].append(result)
    finally:
        for process, _ in servers.values():
            process.terminate()
            process.join()
    return results


def rows() -> list[Row]:
    """The four ways, and what the project watches of them."""
    found, section = measure(), "kit, calls a second of the server's CPU"
    each = [Row(section, name, round(statistics.median(rounds)), "/s") for name, rounds in found.items()]
    return [
        *each,
        ratio(section, "kit against bare grpc.aio", found["kit"], found["bare"], "0.9"),
        ratio(section, "kit against OpenTelemetry's interceptor", found["kit"], found["stock"], "1.4"),
        ratio(section, "kit against the usual way", found["kit"], found["usual"], ""),
    ]
