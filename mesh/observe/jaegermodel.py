"""Spans in Jaeger's own JSON, as its UI reads it. Used by jaeger.

Sources: jaegertracing/jaeger, model/json/model.go and its fixture otlp2jaeger-out.json; for the tags,
https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mesh.observe.span import Span, Status, Value

Object = dict[str, Any]

_OF_PROCESS = ("service.", "k8s.", "host.", "container.", "process.", "os.", "cloud.", "deployment.")
"""Attributes that describe who made the span, by OpenTelemetry's names of them: a process's tags, not a span's."""

_TYPES = {str: "string", bool: "bool", int: "int64", float: "float64"}


def trace_of(spans: Sequence[Span], warnings: Sequence[str] = ()) -> Object:
    """Of one trace's spans, at least one. Times are microseconds."""
    processes: dict[str, tuple[str, Object]] = {}
    found = []
    for span in spans:
        process = _process(span)
        name, _ = processes.setdefault(repr(process), (f"p{len(processes) + 1}", process))
        found.append(_span(span, name))
    return {
        "traceID": spans[0].trace_id,
        "spans": found,
        "processes": dict(processes.values()),
        "warnings": list(warnings) or None,
    }


def _span(span: Span, process: str) -> Object:
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.operation,
        "references": _references(span),
        "startTime": span.start_ns // 1000,
        "duration": span.duration_ns // 1000,
        "tags": list(_tags(_own(span))),
        "logs": [],
        "processID": process,
        "warnings": None,
    }


def _references(span: Span) -> list[Object]:
    if not span.parent_id:
        return []
    return [{"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_id}]


def _process(span: Span) -> Object:
    of_process = [(key, value) for key, value in span.attributes.items() if key.startswith(_OF_PROCESS)]
    return {"serviceName": span.service, "tags": list(_tags([("workload", span.workload), *of_process]))}


def _own(span: Span) -> Iterator[tuple[str, Value]]:
    told: Mapping[str, Value] = {"span.kind": span.kind.value}
    if span.status is not Status.UNSET:
        told = {**told, "otel.status_code": span.status.value}
    if span.status is Status.ERROR:
        told = {**told, "error": True}
    for key, value in span.attributes.items():
        if key not in told and not key.startswith(_OF_PROCESS):
            yield key, value
    yield from told.items()


def _tags(pairs: Iterable[tuple[str, Value]]) -> Iterator[Object]:
    for key, value in pairs:
        yield {"key": key, "type": _TYPES[type(value)], "value": value}
