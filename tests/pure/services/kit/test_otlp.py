"""What a service sends of itself goes to whoever takes it."""

from __future__ import annotations

import grpc
import structlog
from structlog.testing import capture_logs

from services.gen.shop.telemetry.v1 import otlp_pb2 as pb
from services.kit import otlp, settings
from services.kit.telemetry import Counter, Recorder

PLACED = Counter("placed", "Orders", "{order}")


async def test_an_endpoint_that_takes_only_traces_is_sent_no_more_metrics() -> None:
    took: list[bytes] = []

    async def export(request: bytes, context: object) -> bytes:
        took.append(request)
        return b""

    service, method = otlp.TRACES[1:].split("/")
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    recorder = Recorder()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            read = settings.from_environment("orders", {})
            with capture_logs() as said:
                exporter = otlp.Exporter(recorder, read, channel, structlog.get_logger())
                for _ in range(3):
                    recorder.counted(PLACED, 1)
                    await exporter.send()
    finally:
        await server.stop(0)
    assert [line["event"] for line in said] == ["the endpoint takes no metrics: none are sent to it"]
    assert pb.ExportTraces.FromString(b"".join(took)) == pb.ExportTraces()
