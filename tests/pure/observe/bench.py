"""Spans a second from the wire to the file, with the attributes that a sidecar sends. The aim is 5,000 on one core.

taskset -c 0 python -m tests.pure.observe.bench
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mesh.observe.limits import Limits
from mesh.observe.otlp import Decoder, from_protobuf
from mesh.observe.spans import Bounds, Spans
from tests.pure.observe.exports import export, span, text

SPANS = 100_000
IN_AN_EXPORT = 500
IN_A_TRACE = 5
ATTRIBUTES = 12


def exports(spans_in_all: int = SPANS) -> Iterator[bytes]:
    made = random.Random(1)
    now = time.time_ns() - 10**9
    for first in range(0, spans_in_all, IN_AN_EXPORT):
        spans, trace = [], b""
        for number in range(first, first + IN_AN_EXPORT):
            trace = trace if number % IN_A_TRACE else made.randbytes(16)
            spans.append(
                span(
                    trace_id=trace,
                    span_id=made.randbytes(8),
                    name=f"shop.v1.Service/Method{number % 20}",
                    start_time_unix_nano=now + number * 1000,
                    end_time_unix_nano=now + number * 1000 + made.randrange(10**7),
                    attributes=[text(f"some.attribute.{n}", f"value {number}") for n in range(ATTRIBUTES)],
                )
            )
        resource = {"service.name": f"service{first // IN_AN_EXPORT % 10}"}
        yield export(*spans, resource=resource).SerializeToString()


def main() -> None:
    bodies = list(exports())
    decoder = Decoder(Limits())
    with tempfile.TemporaryDirectory() as folder:
        store = Spans(Path(folder) / "spans.db", Bounds(queue=SPANS))
        wall, processor = time.perf_counter(), time.process_time()
        for body in bodies:
            store.put(decoder.decode(from_protobuf(body), time.time_ns()).spans)
        store.close()
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        size = (Path(folder) / "spans.db").stat().st_size
    print(f"{SPANS / processor:,.0f} spans a processor second, {SPANS / wall:,.0f} a second on the clock")
    print(f"{store.written:,} written, {size / SPANS:.0f} bytes each")


if __name__ == "__main__":
    main()
