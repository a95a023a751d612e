"""The observatory takes spans and answers for them, on loopback, to those who ask it by its own name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "shop.orders.v1.OrdersService/PlaceOrder",
    "kind": 2,
}


def ask(url: str, body: object = None, host: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Host": host} if host else {})}
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """One that runs; it ends well when asked to."""
    command = [sys.executable, "-m", "mesh.observe", "--otlp=0", "--http=0", "--socket=otlp.sock", "spans.db"]
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(command, cwd=tmp_path, env=here, stdout=subprocess.PIPE, text=True)
    yield process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.fixture
def address(process: subprocess.Popen[str]) -> str:
    """http://127.0.0.1:PORT of it."""
    assert process.stdout
    return [process.stdout.readline().split()[-1] for _ in range(2)][1]


def test_it_lets_what_it_observes_go_first(process: subprocess.Popen[str], address: str) -> None:
    assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_span_that_was_sent_is_found(address: str) -> None:
    now = time.time_ns()
    span = {**SPAN, "startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1_000_000)}
    service = {"key": "service.name", "value": {"stringValue": "orders"}}
    resource = {"resource": {"attributes": [service]}, "scopeSpans": [{"spans": [span]}]}
    ask(f"{address}/v1/traces", {"resourceSpans": [resource]})
    end = time.monotonic() + 20
    while not (found := ask(f"{address}/api/traces?service=orders")["data"]):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert found[0]["traceID"] == SPAN["traceId"]
    assert found[0]["spans"][0]["operationName"] == SPAN["name"]


def test_a_page_of_another_site_is_not_answered(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ask(f"{address}/api/services", host="evil.example")


def test_it_says_what_it_keeps_itself(address: str) -> None:
    end = time.monotonic() + 20
    while True:
        with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:
            told = answer.read().decode()
        if told:
            break
        assert time.monotonic() < end
        time.sleep(0.1)
    assert '# TYPE mesh_observatory_series gauge\nmesh_observatory_series{job="observatory"' in told
    assert "mesh_observatory_spans_dropped_total{" in told
