"""A closed-loop gRPC load: so many callers, each sending its next call when the last one is answered.

Runs in a process of its own (`python -m tests.bench.load`), so that what is measured does not share an interpreter with who measures.
The bench sections start it and read one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import grpc
import uvloop


@dataclass(frozen=True)
class Load:
    """What to send: ``callers`` at once, for ``seconds`` (after ``warmup`` seconds that are not counted)."""

    target: str
    method: str
    request_hex: str
    callers: int = 16
    seconds: float = 2.0
    warmup: float = 0.5
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Figures:
    """What came back. Latencies are in milliseconds; ``failed`` counts calls with any status but OK."""

    calls: int
    failed: int
    per_second: float
    p50: float
    p99: float


def run(load: Load) -> Figures:
    """Send ``load`` from a fresh process and return its figures."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=load.seconds + load.warmup + 30,
        check=True,
    )
    return Figures(**json.loads(done.stdout))


async def send(load: Load) -> Figures:
    latencies: list[float] = []
    failed = 0
    async with grpc.aio.insecure_channel(load.target) as channel:
        call = channel.unary_unary(load.method)
        request = bytes.fromhex(load.request_hex)
        begin = time.perf_counter() + load.warmup
        end = begin + load.seconds

        async def caller() -> None:
            nonlocal failed
            while (started := time.perf_counter()) < end:
                try:
                    await call(request, timeout=10, metadata=load.metadata)
                except grpc.aio.AioRpcError:
                    failed += 1
                if started >= begin:
                    latencies.append(time.perf_counter() - started)

        async with asyncio.TaskGroup() as group:
            for _ in range(load.callers):
                group.create_task(caller())
    cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else [0.0] * 99
    return Figures(
        len(latencies),
        failed,
        len(latencies) / load.seconds,
        round(cuts[49] * 1000, 3),
        round(cuts[98] * 1000, 3),
    )


def main() -> None:
    given = json.loads(sys.stdin.read())
    given["metadata"] = tuple((k, v) for k, v in given["metadata"])
    json.dump(asdict(uvloop.run(send(Load(**given)))), sys.stdout)


if __name__ == "__main__":
    main()
