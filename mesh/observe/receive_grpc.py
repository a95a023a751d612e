"""OTLP over gRPC, as exporters send it to port 4317: one server, whose port the caller chooses or is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from mesh.observe.otlp import NotReadable, from_protobuf
from mesh.observe.receiver import Overloaded, Read, Receiver, TooLarge
from mesh.observe.wire import Message

TRACES = "opentelemetry.proto.collector.trace.v1.TraceService"
METRICS = "opentelemetry.proto.collector.metrics.v1.MetricsService"
LOGS = "opentelemetry.proto.collector.logs.v1.LogsService"
AT_ONCE = 200
"""Exports under way, each with its body in memory; gRPC refuses what is beyond."""

GRACE = 2.0
"""Seconds that exports under way may take when the server ends."""

_Context = grpc.aio.ServicerContext[Any, Any]
_Handler = Callable[[bytes, _Context], Awaitable[Message]]


@asynccontextmanager
async def serve_grpc(receiver: Receiver, address: str = "127.0.0.1:0", *more: str) -> AsyncIterator[int]:
    """Serves while the context lasts, and yields the port of ``address``. Raises RuntimeError when one is taken."""
    server = grpc.aio.server(options=_options(receiver), maximum_concurrent_rpcs=AT_ONCE)
    handlers = {
        TRACES: _taking(receiver.take),
        METRICS: _taking(receiver.take_metrics),
        LOGS: _passing_over(receiver, "logs"),
    }
    server.add_generic_rpc_handlers([_service(name, handler) for name, handler in handlers.items()])
    port = server.add_insecure_port(address)
    for other in more:
        server.add_insecure_port(other)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(GRACE)


def _options(receiver: Receiver) -> list[tuple[str, int]]:
    """gRPC itself refuses only what is far too large, so that what is a little so can be counted."""
    return [("grpc.max_receive_message_length", 2 * receiver.limits.request_bytes), ("grpc.so_reuseport", 0)]


def _service(name: str, handler: _Handler) -> grpc.GenericRpcHandler:
    """Bodies are decoded by the handler: gRPC would answer INTERNAL to a corrupt one, and senders try again."""
    export: grpc.RpcMethodHandler[Any, Any] = grpc.unary_unary_rpc_method_handler(
        handler,
        request_deserializer=bytes,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(name, {"Export": export})


def _taking(take: Callable[[bytes, Read], Awaitable[Message]]) -> _Handler:
    async def export(body: bytes, context: _Context) -> Message:
        try:
            return await take(body, from_protobuf)
        except NotReadable as told:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(told))
        except TooLarge as told:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(told))
        except Overloaded as told:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(told))

    return export


def _passing_over(receiver: Receiver, signal: str) -> _Handler:
    async def export(body: bytes, context: _Context) -> Message:
        return receiver.pass_over(signal)

    return export
