"""All proxies are asked over real sockets, and what they say becomes Istio's metrics; one that does not answer is down."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mesh.observe.metrics import text
from mesh.observe.metrics.scraper import Scraper
from mesh.observe.metrics.series import NAME, Bounds, Store

CATALOG = "catalog.shop.svc.cluster.local"
COUNTED = """# TYPE envoy_istio_requests_total counter
envoy_istio_requests_total{response_code="200",grpc_response_status="0",response_flags="-",cluster="inbound|50051||",port="200",reporter="destination",peer_principal="spiffe://cluster.local/ns/shop/sa/orders",peer="orders-x.shop"} %d
envoy_istio_requests_total{response_code="200",grpc_response_status="0",response_flags="-",cluster="inbound|1||",port="200",reporter="destination",peer_principal="spiffe://cluster.local/ns/shop/sa/orders",peer="orders-x.shop"} 1
# TYPE envoy_server_uptime gauge
envoy_server_uptime{} 7
"""


def pod(name: str, **ports: str) -> dict[str, object]:
    labels = {"app": name, "version": "v1"}
    principal = f"spiffe://cluster.local/ns/shop/sa/{name}"
    known = {"name": f"{name}-x", "namespace": "shop", "workload": name, "labels": labels}
    return {**known, "principal": principal, "router": False, "admin": f"{name}.sock", "ports": ports}


@pytest.fixture
def targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Relative, as sockets are named: their names may not be long."""
    monkeypatch.chdir(tmp_path)
    file = Path("targets.json")
    file.write_text(json.dumps([pod("orders"), pod("catalog", **{"200": CATALOG})]))
    return file


@asynccontextmanager
async def proxy(socket: str, said: Mapping[str, str]) -> AsyncIterator[None]:
    """Answers in chunks, as Envoy does, with what is said of a path; with an error to others."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        body = said.get(asked.partition("?")[0])
        head = "200 OK" if body is not None else "404 Not Found"
        parts = "".join(f"{len(line):x}\r\n{line}\r\n" for line in (body or "").splitlines(keepends=True))
        writer.write(f"HTTP/1.1 {head}\r\nTransfer-Encoding: chunked\r\n\r\n{parts}0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(answer, socket):
        yield


def values(store: Store, name: str) -> dict[str, float]:
    """By pod."""
    return {labels["pod"]: value for labels, value in store.current() if labels[NAME] == name}


async def test_what_proxies_count_is_kept_with_istios_labels(targets: Path) -> None:
    store = Store()
    scraper = Scraper(targets, store)
    said = {"/stats": "", "/stats/prometheus": COUNTED % 41}
    async with proxy("catalog.sock", said):
        await scraper.round(100)
        said["/stats/prometheus"] = COUNTED % 51
        await scraper.round(105)
    assert values(store, "up") == {"catalog-x": 1, "orders-x": 0}
    assert values(store, "envoy_server_uptime") == {"catalog-x": 7}
    (found,) = store.select("istio_requests_total", lambda _: True, 0, 2**62)
    assert [*found.values] == [42, 52]
    assert [*found.times] == [100_000, 105_000]
    told = found.labels
    assert (told["source_workload"], told["destination_service_name"]) == ("orders", "catalog")
    assert (told["connection_security_policy"], told["pod"]) == ("mutual_tls", "catalog-x")
    errors = {each.pod.workload: each.error for each in scraper.targets}
    assert errors["catalog"] == ""
    assert "orders.sock" in errors["orders"]
    assert scraper.types["istio_requests_total"] == "counter"


async def test_a_proxy_that_answers_no_more_is_down_and_its_series_end(targets: Path) -> None:
    store = Store()
    scraper = Scraper(targets, store)
    said = {"/stats": "", "/stats/prometheus": COUNTED % 1}
    async with proxy("catalog.sock", said):
        await scraper.round(100)
        del said["/stats/prometheus"]
        await scraper.round(105)
    assert values(store, "up")["catalog-x"] == 0
    assert values(store, "istio_requests_total") == {}


async def test_labels_follow_the_pods_of_the_mesh(targets: Path) -> None:
    store = Store()
    scraper = Scraper(targets, store)
    async with proxy("catalog.sock", {"/stats": "", "/stats/prometheus": COUNTED % 1}):
        await scraper.round(100)
        targets.write_text(json.dumps([pod("catalog")]))
        os.utime(targets, ns=(1, 1))
        await scraper.round(105)
    (told,) = [labels for labels, _ in store.current() if labels[NAME] == "istio_requests_total"]
    assert told["source_workload"] == "unknown"
    assert values(store, "up") == {"catalog-x": 1}


async def test_series_beyond_the_bound_are_counted(targets: Path) -> None:
    store = Store(Bounds(series=7))
    scraper = Scraper(targets, store)
    async with proxy("catalog.sock", {"/stats": "", "/stats/prometheus": COUNTED % 1}):
        for now in (100, 105):
            await scraper.round(now)
            assert (len(store), store.refused) == (7, 1)


async def test_without_a_mesh_there_is_nothing_to_ask(tmp_path: Path) -> None:
    store = Store()
    await Scraper(tmp_path / "none", store).round(100)
    assert store.current() == []


def test_values_are_printed_as_prometheus_reads_them() -> None:
    found = [
        ({NAME: "h_bucket", "le": "+Inf"}, 3.0),
        ({NAME: "a", "x": 'back\\slash "quote" \n'}, 0.5),
        ({NAME: "h_sum"}, float("inf")),
        ({NAME: "a_count"}, float("nan")),
    ]
    assert text.text(found, {"h": "histogram", "a": "gauge"}) == (
        "# TYPE a gauge\n"
        'a{x="back\\\\slash \\"quote\\" \\n"} 0.5\n'
        "# TYPE a_count untyped\n"
        "a_count NaN\n"
        "# TYPE h histogram\n"
        'h_bucket{le="+Inf"} 3\n'
        "h_sum +Inf\n"
    )
