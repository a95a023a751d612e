"""Traces -> how often each method of a service was called, how much of it failed, how long it took. Used by service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from mesh.dash.jaeger import Trace
from mesh.observe.call import method, outcome
from mesh.observe.span import Kind, Span
from mesh.observe.waterfall import is_proxy


def by_method(traces: Iterable[Trace], service: str, seconds: float) -> Mapping[str, Any]:
    """By ``package.Service/Method``: calls a second, the share that failed, statuses, and the 95th percentile in milliseconds, by nearest rank.

    As the service itself saw them; as its sidecar did where it has no spans of its own.
    """
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for trace in traces:
        mine = [each for each in trace if each.service == service and each.kind is Kind.SERVER]
        own = [each for each in mine if not is_proxy(each)]
        for span in own or mine:
            if name := method(span) or (span.operation if "/" in span.operation else ""):
                found[name].append(span)
    return {name: _told(spans, seconds) for name, spans in found.items()}


def _told(spans: list[Span], seconds: float) -> dict[str, Any]:
    durations = sorted(each.duration_ns / 1e6 for each in spans)
    statuses: defaultdict[str, int] = defaultdict(int)
    for each in spans:
        statuses[outcome(each)] += 1
    return {
        "rate": len(spans) / seconds,
        "failed": 1 - statuses["OK"] / len(spans),
        "p95": durations[-(-len(durations) * 95 // 100) - 1],
        "statuses": {name: count for name, count in statuses.items() if count},
    }
