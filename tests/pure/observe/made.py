"""Spans by the few fields that a test is about."""

from __future__ import annotations

from typing import Any

from mesh.observe.span import Kind, Span, Status
from tests.pure.observe.exports import NOW


def made(number: int, **changed: Any) -> Span:
    """Each number is a span, and a trace, of its own; one millisecond after the number before."""
    start = changed.pop("start_ns", NOW + number * 1_000_000)
    fields: dict[str, Any] = {
        "trace_id": f"{number + 1:032x}",
        "span_id": f"{number + 1:016x}",
        "parent_id": "",
        "service": "catalog",
        "workload": "catalog-v1",
        "operation": "GetProduct",
        "kind": Kind.SERVER,
        "start_ns": start,
        "end_ns": start + changed.pop("lasts", 1_000_000),
        "status": Status.UNSET,
        "attributes": {},
    }
    return Span(**(fields | changed))
