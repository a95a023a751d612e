"""A call to the catalog: straight to the process, through two hand-minimal Envoys, through a mesh that nobody observes, and through one
that traces every request. Rounds are interleaved."""

from __future__ import annotations

import statistics
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from mesh.ca.authority import Authority
from mesh.model.identity import Identity
from services.gen.shop.catalog.v1.catalog_pb2 import GetProductRequest
from tests.bench.load import Figures, Load, run
from tests.bench.minimal import pair
from tests.bench.report import Row, ratio
from tests.bench.shop import Shop, running

ROUNDS = 7
METHOD = "/shop.catalog.v1.CatalogService/GetProduct"
CATALOG = "catalog.shop.svc.cluster.local:50051"


def calls(observed: Shop) -> list[Row]:
    """Latency with one caller, throughput with sixteen."""
    with running(observed=False) as shop:
        return _calls(shop, observed)


def _calls(shop: Shop, observed: Shop) -> list[Row]:
    application = shop.ports("catalog-v1")["application"]["50051"]
    meshed, traced = (each.ports("orders")["outbound"][CATALOG] for each in (shop, observed))
    with TemporaryDirectory(prefix="mesh-bench-") as name:
        folder = Path(name)
        authority = Authority.open(folder / "ca")
        certificate = authority.issue(Identity("shop", "orders", "cluster.local"), timedelta(hours=1))
        files = {"chain": certificate.chain_pem, "key": certificate.key_pem, "root": authority.root_pem}
        for each, pem in files.items():
            (folder / each).write_bytes(pem)
            (folder / each).chmod(0o600)
        with pair(folder, application, folder / "chain", folder / "key", folder / "root") as minimal:
            ports = {"direct": application, "minimal pair": minimal, "mesh": meshed, "mesh, observed": traced}
            return [*_latency(ports), *_throughput(ports)]


def _rounds(ports: dict[str, int], callers: int) -> dict[str, list[Figures]]:
    found: dict[str, list[Figures]] = {way: [] for way in ports}
    for _ in range(ROUNDS):
        for way, port in ports.items():
            request = GetProductRequest(id="mug").SerializeToString().hex()
            load = Load(f"127.0.0.1:{port}", METHOD, request, callers, 1.5, 0.3, (("x-version", "v1"),))
            figures = run(load)
            if figures.failed:
                raise RuntimeError(f"{figures.failed} calls failed, {way}")
            found[way].append(figures)
    return found


def _latency(ports: dict[str, int]) -> list[Row]:
    found = _rounds(ports, 1)
    rows = []
    for way, each in found.items():
        rows.append(Row("latency, one caller", f"{way}, p50", statistics.median(f.p50 for f in each), "ms"))
        rows.append(Row("latency, one caller", f"{way}, p99", statistics.median(f.p99 for f in each), "ms"))
    over, under = ([f.p50 for f in found[way]] for way in ("mesh", "minimal pair"))
    return [*rows, ratio("latency, one caller", "p50, mesh against minimal pair", over, under, "1.05")]


def _throughput(ports: dict[str, int]) -> list[Row]:
    found = _rounds(ports, 16)
    section = "throughput, sixteen callers"
    rows = [
        Row(section, way, round(statistics.median(f.per_second for f in each)), "/s")
        for way, each in found.items()
    ]
    each = {way: [f.per_second for f in figures] for way, figures in found.items()}
    return [
        *rows,
        ratio(section, "mesh against minimal pair", each["mesh"], each["minimal pair"], "0.95"),
        ratio(section, "mesh against direct", each["mesh"], each["direct"], ""),
        ratio(section, "observed against not", each["mesh, observed"], each["mesh"], "0.9"),
    ]
