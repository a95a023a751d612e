"""A trace in one line: when, how long, what was asked for, how much of it failed. Used by `mesh traces` and the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mesh.observe.span import Span
from mesh.observe.waterfall import is_proxy, request


def summary(spans: Sequence[Span]) -> dict[str, Any]:
    """Of a trace, in order of start. Times are ISO 8601 and milliseconds."""
    first = spans[0]
    named = next((span for span in spans if not is_proxy(span)), first)
    end_ns = max(span.end_ns for span in spans)
    return {
        "trace": first.trace_id,
        "start": datetime.fromtimestamp(first.start_ns / 1e9).astimezone().isoformat(timespec="milliseconds"),
        "milliseconds": round((end_ns - first.start_ns) / 1e6, 3),
        "service": named.service,
        "operation": named.operation,
        "request": request(named),
        "services": sorted({span.service for span in spans}),
        "spans": len(spans),
        "errors": sum(span.status == "ERROR" for span in spans),
    }
