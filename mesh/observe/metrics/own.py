"""What the observatory says of itself: what it keeps, what it dropped, and what that costs."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from typing import Final

from mesh.observe.exposition import Sample
from mesh.observe.metrics.series import Store
from mesh.observe.receiver import Receiver
from mesh.observe.spans import Spans

#: With their types.
TYPES: Final = {
    "up": "gauge",
    "scrape_duration_seconds": "gauge",
    "scrape_samples_scraped": "gauge",
    "mesh_observatory_spans_received_total": "counter",
    "mesh_observatory_spans_written_total": "counter",
    "mesh_observatory_spans_dropped_total": "counter",
    "mesh_observatory_otlp_cut_total": "counter",
    "mesh_observatory_series": "gauge",
    "mesh_observatory_series_refused": "gauge",
    "mesh_observatory_scrape_seconds": "gauge",
    "process_cpu_seconds_total": "counter",
    "process_resident_memory_max_bytes": "gauge",
}


def own(receiver: Receiver, spans: Spans, store: Store, scrape_seconds: float) -> Iterator[Sample]:
    """``scrape_seconds``: of the last round."""
    yield Sample("mesh_observatory_spans_received_total", {}, float(receiver.received))
    yield Sample("mesh_observatory_spans_written_total", {}, float(spans.written))
    for why, count in vars(spans.dropped).items():
        yield Sample("mesh_observatory_spans_dropped_total", {"reason": why}, float(count))
    for reason, count in receiver.counts.items():
        yield Sample("mesh_observatory_otlp_cut_total", {"reason": reason.value}, float(count))
    yield Sample("mesh_observatory_series", {}, float(len(store)))
    yield Sample("mesh_observatory_series_refused", {}, float(store.refused))
    yield Sample("mesh_observatory_scrape_seconds", {}, scrape_seconds)
    yield Sample("process_cpu_seconds_total", {}, time.process_time())
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield Sample("process_resident_memory_max_bytes", {}, usage.ru_maxrss * 1024.0)
