"""`make chaos`, or `python -m tests.chaos --orders N --seed S`: exits with 1, and says what, when a promise was broken."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos import books, customers, deletions, faults
from tests.chaos.customers import Told
from tests.chaos.faults import Mesh
from tests.chaos.verdict import violations
from tests.chaos.wishes import PRODUCTS, wishes
from tests.scenarios.cluster import Cluster
from tests.scenarios.engine import Engine
from tests.scenarios.local import Local, mesh, project

Break = Callable[[random.Random], Awaitable[str]]
#: Of each product, and one more an order: with less than 100 orders too few for a wish of too many.
PLENTY = 900
REST = 60.0
GAP = (1.0, 3.0)  # seconds between two faults
_LISTED = 20


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=8, help="who order at the same time")
    parser.add_argument(
        "--engine",
        choices=("local", "cluster"),
        default="local",
        help="`mesh up` in a folder of its own, or the release that is installed on the cluster of KUBECONFIG",
    )
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _local() if asked.engine == "local" else _cluster() as (shop, breaking):
        found = run(shop, breaking, asked.orders, asked.seed, asked.customers)
    return 1 if found else 0


@contextlib.contextmanager
def _local() -> Iterator[tuple[Engine, Sequence[Break]]]:
    with TemporaryDirectory(prefix="mesh-chaos-") as name:
        folder = project(Path(name) / "p")
        try:
            mesh(folder, "up", "--detach")
            shop = Local(folder / ".mesh" / "kubeconfig", folder=folder)
            with contextlib.closing(shop):
                yield shop, faults.of(Mesh(folder, shop))
        finally:
            mesh(folder, "down")


@contextlib.contextmanager
def _cluster() -> Iterator[tuple[Engine, Sequence[Break]]]:
    with contextlib.closing(Cluster(Path(os.environ["KUBECONFIG"]))) as shop:
        yield shop, deletions.of(shop)


def run(shop: Engine, breaking: Sequence[Break], orders: int, seed: int, customers_: int) -> list[str]:
    """Places the orders while things break, waits until all has come to rest, and returns what was broken."""
    for product in PRODUCTS:
        request = {"productId": product, "onHand": PLENTY + orders}
        assert shop.at("ingress").call("inventory", "SetStock", request).ok
    before = books.read(shop)
    told, hits = asyncio.run(_storm(shop, breaking, orders, seed, customers_))
    _say(f"{len(told)} orders placed: {dict(Counter(each.code for each in told))}; {hits} faults")
    _say(f"returned: {dict(Counter(each.returned for each in told if each.returned))}")
    stood = time.monotonic()
    shop.until(lambda: books.undecided(shop) == 0, "every order is decided", REST)
    _say(f"all decided {time.monotonic() - stood:.1f} s after the last fault")
    found = _settled(shop, before, told, stood)
    for line in found[:_LISTED]:
        _say(f"BROKEN  {line}")
    _say(f"{len(found)} promises broken" if found else "every promise kept")
    return found


def _settled(shop: Engine, before: books.Books, told: Sequence[Told], stood: float) -> list[str]:
    """What is broken still when the relay has had its time; of what was there before, nothing is said."""
    while True:
        after = books.since(before, books.read(shop))
        found = violations(before.stock, told, after)
        if not found or time.monotonic() > stood + REST:
            sent = "nobody sends any" if after.notified is None else sum(map(len, after.notified.values()))
            _say(f"notifications: {sent}")
            return found
        time.sleep(1)


async def _storm(
    shop: Engine, breaking: Sequence[Break], orders: int, seed: int, customers_: int
) -> tuple[list[Told], int]:
    address, authority = shop.outside("orders")
    calm = asyncio.Event()
    going_on = asyncio.create_task(_break(breaking, random.Random(seed), calm))
    try:
        told = await customers.place(address, authority, wishes(orders, seed), customers_)
    finally:
        calm.set()
        hits = await going_on
    return told, hits


async def _break(breaking: Sequence[Break], source: random.Random, calm: asyncio.Event) -> int:
    """One fault after the other until it is to be calm, each mended before the next, and each once before any comes again; returns how
    many."""
    hits, waiting = 0, list[Break]()
    while not calm.is_set():
        waiting = waiting or source.sample(breaking, len(breaking))
        _say(f"  {await waiting.pop()(source)}")
        hits += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(calm.wait(), source.uniform(*GAP))
    return hits


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
