"""From what a service of the shop sends to what Jaeger's UI shows, through everything in between."""

from __future__ import annotations

import asyncio
import json
import random
import time
from pathlib import Path

import grpc
import pytest
import structlog

from mesh.observe.call import workload_of
from mesh.observe.collector import Collector, collect
from mesh.observe.search import Search
from mesh.observe.topology import topology
from services.kit import settings, trace
from services.kit.call import Call, Origin
from services.kit.otlp import Exporter
from services.kit.telemetry import Recorder
from tests.pure.observe.exports import export, span
from tests.pure.observe.serving import ask, serving, until
from tests.pure.observe.test_receivers import call

PATH = "/shop.catalog.v1.CatalogService/GetProduct"
EVER = (0, 2**63 - 1)
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]


async def export_from(service: str, pod: str, recorder: Recorder, collector: Collector) -> None:
    told = settings.from_environment(service, {"POD_NAME": pod})
    async with grpc.aio.insecure_channel(f"127.0.0.1:{collector.grpc_port}", options=OPTIONS) as channel:
        await Exporter(recorder, told, channel, structlog.get_logger()).send()


def bodies(exports: int, spans: int) -> list[bytes]:
    start = time.time_ns()
    times = {"start_time_unix_nano": start, "end_time_unix_nano": start + 1}
    ids = iter(range(1, exports * spans + 1))
    return [
        export(*(span(span_id=next(ids).to_bytes(8), **times) for _ in range(spans))).SerializeToString()
        for _ in range(exports)
    ]


async def test_a_call_between_two_services_is_an_edge_and_a_trace(tmp_path: Path) -> None:
    now = asyncio.get_running_loop().time()
    calling, called = Recorder(), Recorder()
    outgoing = trace.continued(None, 1.0, random.Random(1))
    calling.called(PATH, outgoing, grpc.StatusCode.UNAVAILABLE, now - 0.5, now)
    origin = Origin(1.0, random.Random(2), development=False)
    incoming = Call(PATH, now, lambda: [("traceparent", outgoing.header)], origin)
    called.served(incoming, grpc.StatusCode.UNAVAILABLE, now - 0.4, now - 0.1)
    async with collect(tmp_path / "spans.db") as collector:
        await export_from("orders", "orders-v1-7d9c5b8f6d-kx2vq", calling, collector)
        await export_from("catalog", "catalog-v2-5f6d8c7b9c-zt4wm", called, collector)
        await until(lambda: collector.spans.written == 2)
        assert not collector.receiver.counts
        [sent] = [
            each
            for each in collector.metrics.sent.current(time.time())
            if each[0]["__name__"].endswith("_count")
        ]
        async with serving(collector.routes) as port:
            _, body = await ask(port, "GET", f"/api/traces/{outgoing.trace_id}")
        [edge] = topology(collector.search, *EVER, workload_of)
    assert sent[1] == 1
    assert sent[0]["__name__"] == "rpc_server_duration_milliseconds_count"
    assert (sent[0]["job"], sent[0]["rpc_grpc_status_code"]) == ("shop/catalog", "14")
    [shown] = json.loads(body)["data"]
    assert [process["serviceName"] for process in shown["processes"].values()] == ["orders", "catalog"]
    assert (edge.caller, edge.callee, edge.method) == ("orders-v1", "catalog-v2", PATH[1:])
    assert edge.statuses == {"UNAVAILABLE": 1}
    assert edge.p50_ns == pytest.approx(500_000_000, abs=1_000_000)


async def test_every_span_that_was_answered_for_is_in_the_file_after_the_end(tmp_path: Path) -> None:
    async with (
        collect(tmp_path / "spans.db") as collector,
        grpc.aio.insecure_channel(f"127.0.0.1:{collector.grpc_port}", options=OPTIONS) as channel,
    ):
        await asyncio.gather(*(call(channel, body) for body in bodies(exports=50, spans=20)))
    assert len(Search(tmp_path / "spans.db").window(*EVER, 10_000)) == 1000


async def test_an_address_that_is_taken_is_told_and_leaves_nothing_open(tmp_path: Path) -> None:
    async with collect(tmp_path / "first.db") as collector:
        with pytest.raises(RuntimeError, match=str(collector.grpc_port)):
            async with collect(tmp_path / "second.db", [f"127.0.0.1:{collector.grpc_port}"]):
                pass
    assert not (tmp_path / "second.db-wal").exists()
