"""The observatory answers Jaeger's questions as a real Jaeger does that was sent the same spans by OTLP."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import grpc
import pytest

from mesh.observe.collector import collect
from tests.pure.observe.exports import export, span, text
from tests.pure.observe.serving import serving, until
from tests.pure.observe.test_receivers import call

JAEGER: Final = shutil.which("jaeger") or shutil.which(
    "jaeger", path=str(Path.home() / ".cache/mesh-cluster/bin")
)
pytestmark = pytest.mark.skipif(not JAEGER, reason="needs Jaeger's all-in-one as `jaeger`")

_QUERY: Final = re.compile(r'"Query server started","http_addr":"127[.]0[.]0[.]1:([0-9]+)"')
_ELSEWHERE: Final = (
    *("admin.http", "collector.grpc-server", "collector.http-server", "collector.otlp.http"),
    *("query.http-server", "query.grpc-server", "http-server"),
)
#: How the span came to Jaeger.
_OWN: Final = "internal.span.format"
_AGENT: Final = ("jaeger-binary", "jaeger-compact", "zipkin-compact")
TRACE, OTHER = bytes(range(16)), bytes(range(1, 17))
AT = time.time_ns() // 1000 * 1000 - 5_000_000_000


def made(number: int, parent: int, kind: str, name: str, trace: bytes = TRACE, **changed: Any) -> Any:
    ids = {
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": parent.to_bytes(8, "big") if parent else b"",
    }
    times = {"start_time_unix_nano": AT + number * 1000, "end_time_unix_nano": AT + 9_000_000}
    return span(trace_id=trace, name=name, kind=f"SPAN_KIND_{kind}", **{**ids, **times, **changed})


def exports() -> list[Any]:
    """An order: the ingress calls orders, which calls payments, which fails; and a trace of its own."""
    place, charge = "shop.orders.v1.OrdersService/PlaceOrder", "shop.payments.v1.PaymentsService/Charge"
    tags = [text("rpc.system", "grpc"), text("rpc.service", "shop.orders.v1.OrdersService")]
    failed = {"status": {"code": 2, "message": "card declined"}}
    return [
        export(made(1, 0, "SERVER", place, attributes=tags), resource={"service.name": "ingress"}),
        export(
            made(2, 1, "SERVER", place, attributes=tags),
            made(3, 2, "CLIENT", charge),
            made(9, 0, "SERVER", "shop.orders.v1.OrdersService/GetOrder", OTHER),
            resource={"service.name": "orders"},
        ),
        export(made(4, 3, "SERVER", charge, **failed), resource={"service.name": "payments"}),
    ]


@pytest.fixture
def jaeger() -> Iterator[tuple[int, int]]:
    """The ports for OTLP over gRPC, and for questions, of a real one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        otlp = free.getsockname()[1]
    flags = [f"--{name}.host-port=127.0.0.1:0" for name in _ELSEWHERE]
    flags += [f"--processor.{name}.server-host-port=127.0.0.1:0" for name in _AGENT]
    command = [
        JAEGER or "",
        "--collector.otlp.enabled=true",
        f"--collector.otlp.grpc.host-port=127.0.0.1:{otlp}",
        *flags,
    ]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert running.stderr
    try:
        yield otlp, next(int(found[1]) for line in running.stderr if (found := _QUERY.search(line)))
    finally:
        running.kill()
        running.communicate()


@pytest.fixture
async def both(jaeger: tuple[int, int], tmp_path: Path) -> AsyncIterator[tuple[int, int]]:
    """Where the observatory and where Jaeger answer about the same spans."""
    async with collect(tmp_path / "spans.db") as collector:
        for port in (collector.grpc_port, jaeger[0]):
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                for each in exports():
                    await call(channel, each.SerializeToString())
        await until(lambda: collector.spans.written == 5)
        async with serving(collector.routes) as port:
            yield port, jaeger[1]


async def ask(port: int, path: str) -> tuple[int, Any]:
    def in_a_thread() -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    return await asyncio.to_thread(in_a_thread)


def plain(answer: tuple[int, Any]) -> Any:
    """Without the order of things that have none, and without what each counts or numbers for itself."""
    status, told = answer
    if told.get("errors"):
        return status, [each["code"] for each in told["errors"]]
    return status, sorted(map(_plain, told["data"] or []), key=str)


def _plain(found: Any) -> Any:
    if not (isinstance(found, dict) and "spans" in found):
        return found
    services = {key: each["serviceName"] for key, each in found["processes"].items()}
    return found["traceID"], sorted(
        (_span(each, services[each["processID"]]) for each in found["spans"]), key=str
    )


def _span(found: Any, service: str) -> Any:
    tags = {(tag["key"], tag["type"], tag["value"]) for tag in found["tags"] if tag["key"] != _OWN}
    above = [(each["refType"], each["traceID"], each["spanID"]) for each in found["references"]]
    named = (service, found["operationName"], found["traceID"], found["spanID"])
    return *named, above, found["startTime"], found["duration"], sorted(map(str, tags))


async def test_every_question_of_jaegers_page_has_jaegers_answer(both: tuple[int, int]) -> None:
    window = {
        "start": str(AT // 1000 - 10**9),
        "end": str(AT // 1000 + 10**9),
        "limit": "20",
        "lookback": "1h",
    }
    searches = [
        {"service": "orders"},
        {"service": "orders", "operation": "shop.orders.v1.OrdersService/GetOrder"},
        {"service": "payments", "tags": json.dumps({"error": "true"})},
        {"service": "orders", "tags": json.dumps({"rpc.system": "grpc"})},
        {"service": "ingress", "minDuration": "8ms"},
        {"service": "ingress", "minDuration": "10s"},
        {"service": "nobody"},
    ]
    questions = [
        "/api/services",
        "/api/services/orders/operations",
        "/api/operations?service=payments",
        f"/api/traces/{TRACE.hex()}",
        f"/api/traces/{'f' * 32}",
        "/api/traces/nonsense",
        *(f"/api/traces?{urlencode({**window, **search})}" for search in searches),
    ]
    for question in questions:
        mine, theirs = [plain(await ask(port, question)) for port in both]
        assert mine == theirs, question
