"""`make bench-scale`: CPU, bytes and time until accepted of the whole set and of single changes, beside istiod's own code in the same run.

Time runs from the order to the last acknowledgement; proxies are a process of their own on the same machine. istiod waits 100 ms for more changes
before it pushes; its test double takes changes of Istio's kinds only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from mesh.envoy.node import node
from mesh.link.link import link
from mesh.resources.object import from_json
from tests.bench.scale import mesh as bench
from tests.bench.scale.ours import ANOTHER
from tests.bench.scale.proxies import Fleet, connected
from tests.parity import golden

_QUIET = 1.0
_MOST = 600.0
_HEAD = "{:<16}{:<16}{:>9}{:>12}{:>10}{:>9}"
_ROW = "{:<16}{:<16}{:>8.2f}s{:>11,}B{:>8.0f}ms{:>9}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--services", type=int, nargs="*", default=[100, 300, 1000])
    given = parser.parse_args()
    for services in given.services:
        asyncio.run(_measured(services))


async def _measured(services: int) -> None:
    objects = bench.manifests(services)
    mesh, _ = link([made for each in objects if (made := from_json(each, "bench")[0])], running=True)
    nodes = [node(workload) for workload in mesh.workloads]
    print(f"\n{services} services, {len(nodes)} proxies")
    print(_HEAD.format("", "", "CPU", "sent", "accepted", "proxies"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        async with _ours(Path(folder), services) as (target, ask, cpu):
            await _runs("meshwright", target, nodes, cpu, ask, ["publish", *bench.EDITS, ANOTHER])
        oracle = golden.oracle()
        if oracle is None:
            print("istiod's own code is not here: no `oracle` on PATH", file=sys.stderr)
            return
        async with _istiod(oracle, Path(folder), objects) as (target, ask, cpu):
            edits = [name for name, (*_, taken) in bench.EDITS.items() if taken]
            await _runs("istiod", target, nodes, cpu, ask, ["publish", *edits])


Ask = Callable[[str], Awaitable[None]]
Cpu = Callable[[], Awaitable[float]]


async def _runs(who: str, target: str, nodes: list[Any], cpu: Cpu, ask: Ask, orders: list[str]) -> None:
    fleet, whole = Fleet(), 0.0
    before, started = await cpu(), time.monotonic()
    await ask(orders[0])
    async with connected(target, nodes, fleet):
        await fleet.quiet(3 * _QUIET, _MOST)
        whole = await cpu() - before
        _print(who, "everything", whole, fleet, started)
        for order in orders[1:]:
            fleet.reset()
            before, started = await cpu(), time.monotonic()
            await ask(order)
            await fleet.quiet(_QUIET, 5 * _QUIET if order == ANOTHER else _MOST)
            _print(who, order, await cpu() - before, fleet, started)
    if fleet.broken:
        print(f"{fleet.broken} streams broke, and were opened again", flush=True)


def _print(who: str, what: str, cpu: float, fleet: Fleet, started: float) -> None:
    took = max(0.0, fleet.last - started) * 1000 if fleet.answers else 0.0
    print(_ROW.format(who, what, cpu, fleet.received, took, len(fleet.touched)), flush=True)


@asynccontextmanager
async def _ours(folder: Path, services: int) -> AsyncIterator[tuple[str, Ask, Cpu]]:
    path = folder / "xds.sock"
    command = (sys.executable, "-m", "tests.bench.scale.ours", str(path), str(services))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)

    async def told(order: str) -> Any:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{order}\n".encode())
        return json.loads(await process.stdout.readline())

    assert process.stdout
    assert (await process.stdout.readline()).strip() == b"ready"
    try:
        yield f"unix:{path}", told, lambda: told("cpu")
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def _istiod(
    oracle: str, folder: Path, objects: list[bench.Manifest]
) -> AsyncIterator[tuple[str, Ask, Cpu]]:
    path = folder / "mesh.yaml"
    path.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper, sort_keys=False))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{probe.getsockname()[1]}"
    pipe = asyncio.subprocess.PIPE
    unhurried = {**os.environ, "PILOT_MAX_REQUESTS_PER_SECOND": "100000"}  # it lets few proxies in a second
    process = await asyncio.create_subprocess_exec(
        oracle, "serve", target, str(path), stderr=pipe, stdout=pipe, env=unhurried
    )
    assert process.stderr
    while b"serving" not in await process.stderr.readline():
        assert process.returncode is None, "the oracle has ended"

    async def ask(order: str) -> None:
        if order != "publish":
            place, objects[place] = bench.edited(objects, order)
            path.write_text(yaml.dump_all(objects, Dumper=yaml.CSafeDumper, sort_keys=False))
            process.send_signal(signal.SIGHUP)

    async def cpu() -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    try:
        yield target, ask, cpu
    finally:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    main()
