"""A span as a row: the table, its indexes, and the way in and out. Used by spans, which writes, and search, which reads."""

from __future__ import annotations

import json
from typing import Any

from mesh.observe.span import Kind, Span, Status

VERSION = 1
"""Of the table, in the file's ``user_version``."""

SCHEMA = f"""
CREATE TABLE spans (
  trace_id BLOB NOT NULL, span_id BLOB NOT NULL, parent_id BLOB NOT NULL, service TEXT NOT NULL,
  workload TEXT NOT NULL, operation TEXT NOT NULL, kind TEXT NOT NULL, start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL, status TEXT NOT NULL, attributes TEXT NOT NULL
);
CREATE UNIQUE INDEX by_id ON spans (trace_id, span_id);
CREATE INDEX by_start ON spans (start_ns);
CREATE INDEX by_service ON spans (service, start_ns);
CREATE INDEX by_operation ON spans (service, operation, kind);
PRAGMA user_version = {VERSION};
"""

COLUMNS = (
    "trace_id, span_id, parent_id, service, workload, operation, kind, start_ns, end_ns, status, attributes"
)
INSERT = f"INSERT OR IGNORE INTO spans ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
"""A span that is there already was sent twice."""

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode


def key_text(key: str) -> str:
    """What stands in ``attributes`` wherever this is a key."""
    return f"{_encode(key)}:"


def to_row(span: Span) -> tuple[Any, ...]:
    return (
        bytes.fromhex(span.trace_id),
        bytes.fromhex(span.span_id),
        bytes.fromhex(span.parent_id),
        span.service,
        span.workload,
        span.operation,
        span.kind,
        span.start_ns,
        span.end_ns,
        span.status,
        _encode(span.attributes),
    )


def from_row(row: tuple[Any, ...]) -> Span:
    trace_id, span_id, parent_id, service, workload, operation, kind, start, end, status, attributes = row
    return Span(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_id=parent_id.hex(),
        service=service,
        workload=workload,
        operation=operation,
        kind=Kind(kind),
        start_ns=start,
        end_ns=end,
        status=Status(status),
        attributes=json.loads(attributes),
    )
