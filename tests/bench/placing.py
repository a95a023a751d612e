"""Orders through the whole shop, ingress, sidecars and saga included: by gRPC and by the storefront's REST, with 1, 10 and 100 customers."""

from __future__ import annotations

from tests.bench.orders import PRODUCT, Customers, run
from tests.bench.report import Row
from tests.bench.shop import Shop
from tests.scenarios.local import mesh

COUNTS = (1, 10, 100)
PLENTY = 1_000_000
WAYS = {"orders, gRPC": ("grpc", "orders"), "storefront, REST": ("rest", "storefront")}


def orders(shop: Shop) -> list[Row]:
    """Orders a second, and how long one takes. An order is five calls behind the first, each through two sidecars."""
    engine = shop.engine()
    try:
        stocked = engine.at("ingress").call("inventory", "SetStock", {"productId": PRODUCT, "onHand": PLENTY})
        assert stocked.ok, stocked
        return [row for name, way in WAYS.items() for row in _rows(name, way[0], _address(shop, way[1]))]
    finally:
        engine.close()


def _address(shop: Shop, service: str) -> str:
    return mesh(shop.folder, "address", service).strip()


def _rows(name: str, way: str, target: str) -> list[Row]:
    rows = []
    for count in COUNTS:
        found, section = run(Customers(way, target, count)), f"placing orders: {name}"
        about = f"{count} customer{'s' * (count > 1)}"
        rows += [
            Row(section, f"{about}, placed", round(found.per_second, 1), "/s"),
            Row(section, f"{about}, p50", found.p50, "ms"),
            Row(section, f"{about}, p99", found.p99, "ms"),
            Row(
                section,
                f"{about}, not confirmed",
                found.failed,
                "of them",
                "0" if count < max(COUNTS) else "",
            ),
        ]
    return rows
