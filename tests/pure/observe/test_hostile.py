"""Whatever is sent, the observatory goes on, keeps within its bounds, says what it left out, and hands out text, not programs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mesh.cli import trace, traces
from mesh.observe.collector import Collector, collect
from mesh.observe.limits import Limits, Reason
from mesh.observe.metrics import text as exposition
from mesh.observe.metrics.own import own
from mesh.observe.otlp import OTHER, Decoder, from_protobuf
from mesh.observe.search import Search
from mesh.observe.spans import Bounds, Spans
from tests.pure.observe import bench
from tests.pure.observe.exports import export, span, text
from tests.pure.observe.serving import ask, serving, until

SCRIPT = "<script>alert(1)</script>[/bold]\x1b]0;title\x07\r\n"
URL = "http://[not an address"
DAY = 24 * 3600 * 10**9


def now(**changed: Any) -> Any:
    at = time.time_ns()
    return span(**({"start_time_unix_nano": at - 1000, "end_time_unix_nano": at} | changed))


async def sent(collector: Collector, *spans: Any, service: str = "catalog") -> None:
    body = export(*spans, resource={"service.name": service}).SerializeToString()
    await collector.receiver.take(body, from_protobuf)


async def test_a_script_stays_text_in_every_answer(tmp_path: Path) -> None:
    hostile = now(
        name=SCRIPT,
        attributes=[text("http.url", URL), text("http.method", SCRIPT), text("component", "proxy")],
    )
    async with collect(tmp_path / "spans.db") as collector:
        await sent(collector, hostile, service=SCRIPT)
        await until(lambda: collector.spans.written == 1)
        async with serving(collector.routes) as port:
            for path in ("/api/services", "/api/traces?service=" + SCRIPT.encode().hex(), "/api/v1/labels"):
                answer, body = await ask(port, "GET", path)
                assert answer.headers["content-type"] == "application/json"
                json.loads(body)
            answer, body = await ask(port, "GET", "/api/services")
            assert json.loads(body)["data"] == [SCRIPT]


def test_a_terminal_is_shown_no_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = (
        Decoder(Limits())
        .decode(
            export(
                now(
                    name=SCRIPT,
                    status={"code": 2, "message": SCRIPT},
                    attributes=[text("http.url", URL), text("http.method", "GET")],
                ),
                resource={"service.name": SCRIPT},
            ),
            time.time_ns(),
        )
        .spans
    )
    (tmp_path / "mesh.yaml").write_text("releases: []\n")
    (tmp_path / ".mesh" / "spans").mkdir(parents=True)
    store = Spans(tmp_path / ".mesh" / "spans" / "spans.db")
    store.put(found)
    store.close()
    monkeypatch.chdir(tmp_path)
    for command, arguments in ((traces.command, []), (trace.command, [found[0].trace_id])):
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 0, done.output
        assert "<script>" in done.output
        assert "\x1b" not in done.output
        assert "\x07" not in done.output


async def test_a_clock_from_tomorrow_costs_only_its_span_and_is_counted(tmp_path: Path) -> None:
    tomorrow = time.time_ns() + DAY
    ahead = now(span_id=b"12345678", start_time_unix_nano=tomorrow, end_time_unix_nano=tomorrow)
    async with collect(tmp_path / "spans.db") as collector:
        await sent(collector, now(), ahead)
        await until(lambda: collector.spans.written == 1)
        found = own(collector.receiver, collector.spans, collector.metrics.store, 0.0)
        told = exposition.text([({"__name__": each.name, **each.labels}, each.value) for each in found], {})
    assert f'mesh_observatory_otlp_cut_total{{reason="{Reason.FROM_THE_FUTURE}"}} 1' in told.splitlines()


async def test_a_hundred_thousand_operations_leave_lists_that_can_be_read(tmp_path: Path) -> None:
    async with collect(tmp_path / "spans.db") as collector:
        for first in range(0, 100_000, 5000):
            named = [
                now(span_id=n.to_bytes(8, "big"), name=f"operation {n}")
                for n in range(first + 1, first + 5001)
            ]
            await sent(collector, *named)
            await until(lambda sent=first + 5000: collector.spans.written == sent)
        async with serving(collector.routes) as port:
            _, body = await ask(port, "GET", "/api/services/catalog/operations")
    operations = json.loads(body)["data"]
    assert len(operations) == Limits().operations + 1
    assert OTHER in operations


def test_five_thousand_spans_a_second_are_less_than_a_core(tmp_path: Path) -> None:
    """By processor time, which other processes do not use up."""
    bodies = list(bench.exports(20_000))
    decoder, store = Decoder(Limits()), Spans(tmp_path / "spans.db", Bounds(queue=20_000))
    began = time.process_time()
    for body in bodies:
        assert store.put(decoder.decode(from_protobuf(body), time.time_ns()).spans)
    store.close()
    assert time.process_time() - began < 20_000 / 5000
    assert store.written == 20_000
    assert len(Search(tmp_path / "spans.db").window(0, 2**62, 50_000)) == 20_000
