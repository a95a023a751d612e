"""What a sender is told over gRPC and over HTTP, and what is passed on and counted."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import pytest
from google.protobuf import json_format
from google.rpc.status_pb2 import Status

from mesh.observe import wire
from mesh.observe.limits import Limits, Reason
from mesh.observe.receive_grpc import TRACES, serve_grpc
from mesh.observe.receive_http import JSON, PROTOBUF, routes
from mesh.observe.receiver import Receiver
from mesh.observe.span import Span
from mesh.observe.wire import Message
from tests.pure.observe.exports import NOW, export, span
from tests.pure.observe.serving import ask, serving, until
from tests.pure.observe.test_otlp import as_json

LOGS = "opentelemetry.proto.collector.logs.v1.LogsService"
METRICS = "opentelemetry.proto.collector.metrics.v1.MetricsService"
ONE = export(span()).SerializeToString()
BAD = export(span(trace_id=b"")).SerializeToString()
LIMIT = 10_000


class Kept:
    """A store with room for so many spans."""

    def __init__(self, room: int = 100) -> None:
        self.spans: list[Span] = []
        self._room = room

    def keep(self, spans: Sequence[Span]) -> bool:
        fits = len(self.spans) + len(spans) <= self._room
        self.spans.extend(spans if fits else ())
        return fits


def receiver(kept: Kept) -> Receiver:
    return Receiver(kept.keep, Limits(request_bytes=LIMIT), clock=lambda: NOW)


@asynccontextmanager
async def grpc_to(receiving: Receiver) -> AsyncIterator[grpc.aio.Channel]:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    async with (
        serve_grpc(receiving) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel,
    ):
        yield channel
    receiving.close()


@asynccontextmanager
async def http_to(receiving: Receiver) -> AsyncIterator[int]:
    async with serving(routes(receiving)) as port:
        yield port
    receiving.close()


async def call(
    channel: grpc.aio.Channel, body: bytes, service: str = TRACES, compressed: bool = False
) -> Message:
    export_to = channel.unary_unary(f"/{service}/Export", response_deserializer=wire.Response.FromString)
    compression = grpc.Compression.Gzip if compressed else None
    return await export_to(body, timeout=10, compression=compression)


@pytest.mark.parametrize("compressed", [False, True])
async def test_spans_sent_over_grpc_are_passed_on(compressed: bool) -> None:
    kept = Kept()
    async with grpc_to(receiving := receiver(kept)) as channel:
        assert await call(channel, ONE, compressed=compressed) == wire.Response()
    assert [each.service for each in kept.spans] == ["catalog"]
    assert (receiving.received, receiving.counts) == (1, {})


async def test_a_sender_is_told_over_grpc_how_many_spans_were_refused_and_why() -> None:
    async with grpc_to(receiving := receiver(Kept())) as channel:
        answer = await call(channel, ONE + BAD)
    assert answer.partial_success.rejected_spans == 1
    assert answer.partial_success.error_message == "wrong_id: 1"
    assert (receiving.received, receiving.counts) == (1, {Reason.WRONG_ID: 1})


@pytest.mark.parametrize(
    ("body", "room", "code", "reason"),
    [
        (b"\xff\xff", 1, grpc.StatusCode.INVALID_ARGUMENT, Reason.NOT_READABLE),
        (ONE[:-3], 1, grpc.StatusCode.INVALID_ARGUMENT, Reason.NOT_READABLE),
        (bytes(LIMIT + 1), 1, grpc.StatusCode.RESOURCE_EXHAUSTED, Reason.TOO_LARGE),
        (ONE, 0, grpc.StatusCode.UNAVAILABLE, Reason.QUEUE_FULL),
    ],
)
async def test_a_refused_export_has_its_code_over_grpc(
    body: bytes, room: int, code: grpc.StatusCode, reason: Reason
) -> None:
    async with grpc_to(receiving := receiver(Kept(room))) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await call(channel, body)
    assert (told.value.code(), receiving.counts) == (code, {reason: 1})


async def test_a_little_that_becomes_very_much_is_refused_by_grpc() -> None:
    async with grpc_to(receiver(Kept())) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await call(channel, bytes(50_000_000), compressed=True)
        assert told.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call(channel, ONE) == wire.Response()


async def test_logs_are_answered_and_not_kept() -> None:
    async with grpc_to(receiving := receiver(Kept())) as channel:
        answer = await call(channel, b"\xff", LOGS)
    assert answer.partial_success.error_message == "logs are not kept here"
    async with http_to(receiving) as port:
        response, _ = await ask(port, "POST", "/v1/logs", b"{}", content_type=JSON)
    assert (response.status, receiving.counts) == (200, {Reason.NOT_KEPT: 2})


async def test_metrics_that_are_no_export_are_refused() -> None:
    async with grpc_to(receiving := receiver(Kept())) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await call(channel, b"\xff", METRICS)
    assert (told.value.code(), receiving.counts) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        {Reason.NOT_READABLE: 1},
    )


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ONE, {"content_type": PROTOBUF}),
        (gzip.compress(ONE), {"content_type": PROTOBUF, "content_encoding": "gzip"}),
        (json.dumps(as_json()).encode(), {"content_type": f"{JSON}; charset=utf-8"}),
        (gzip.compress(json.dumps(as_json()).encode()), {"content_type": JSON, "content_encoding": "GZIP"}),
    ],
)
async def test_spans_sent_over_http_are_passed_on(body: bytes, headers: dict[str, str]) -> None:
    kept = Kept()
    async with http_to(receiving := receiver(kept)) as port:
        response, answer = await ask(port, "POST", "/v1/traces", body, **headers)
    assert (response.status, answer) == (200, b"{}" if JSON in headers["content_type"] else b"")
    assert [each.trace_id for each in kept.spans] == ["000102030405060708090a0b0c0d0e0f"]
    assert (receiving.received, receiving.counts) == (1, {})


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (b"\xff\xff", {"content_type": PROTOBUF}, 400, Reason.NOT_READABLE),
        (b"{", {"content_type": JSON}, 400, Reason.NOT_READABLE),
        (ONE, {"content_type": "text/plain"}, 400, Reason.NOT_READABLE),
        (ONE, {}, 400, Reason.NOT_READABLE),
        (ONE, {"content_type": PROTOBUF, "content_encoding": "br"}, 400, Reason.NOT_READABLE),
        (ONE, {"content_type": PROTOBUF, "content_encoding": "gzip"}, 400, Reason.NOT_READABLE),
        (gzip.compress(ONE)[:-1], {"content_type": PROTOBUF, "content_encoding": "gzip"}, 400, Reason.NOT_READABLE),
        (gzip.compress(ONE) * 2, {"content_type": PROTOBUF, "content_encoding": "gzip"}, 400, Reason.NOT_READABLE),
        (gzip.compress(bytes(5_000_000)), {"content_type": PROTOBUF, "content_encoding": "gzip"}, 413, Reason.TOO_LARGE),
        (bytes(LIMIT + 1), {"content_type": PROTOBUF}, 413, Reason.TOO_LARGE),
        (ONE, {"content_type": PROTOBUF}, 503, Reason.QUEUE_FULL),
    ],
)  # fmt: skip
async def test_a_refused_export_has_its_status_over_http(
    body: bytes, headers: dict[str, str], status: int, reason: Reason
) -> None:
    async with http_to(receiving := receiver(Kept(room=0))) as port:
        response, answer = await ask(port, "POST", "/v1/traces", body, **headers)
    told = (
        json_format.Parse(answer, Status())
        if headers.get("content_type") == JSON
        else Status.FromString(answer)
    )
    assert (response.status, bool(told.message), receiving.counts) == (status, True, {reason: 1})
    assert response.headers.get("retry-after") == ("5" if status == 503 else None)


async def test_a_sender_that_goes_away_halfway_leaves_nothing_behind() -> None:
    kept = Kept()
    async with http_to(receiving := receiver(kept)) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {len(ONE)}\r\n\r\n"
        writer.write(head.encode() + ONE[:50])
        writer.close()
        await writer.wait_closed()
        await until(lambda: receiving.counts)
    assert (kept.spans, receiving.counts) == ([], {Reason.NOT_READABLE: 1})
