"""Jaeger as the page asks it for traces: that of a cluster, or the observatory of `mesh up`, which speaks the same API.

Its answers become Spans, the same that `mesh trace` reads, with the names that services have beside their sidecars.
Source: jaegertracing/jaeger-ui, packages/jaeger-ui/src/api/jaeger.ts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from mesh.dash.fetch import Server, Unreachable, is_ok
from mesh.observe.call import service_of
from mesh.observe.span import Kind, Span, Status, Value

Object = Mapping[str, Any]
Trace = Sequence[Span]


@dataclass(frozen=True)
class Wanted:
    """One span of a trace must satisfy all of it; "" means any. Durations as Jaeger writes them, ``100ms``; times in microseconds."""

    service: str
    operation: str = ""
    shortest: str = ""
    longest: str = ""
    tags: Mapping[str, str] | None = None
    start: int = 0
    end: int = 0
    limit: int = 50


class Jaeger(Protocol):
    """What knows the traces of a mesh. Methods raise Unreachable."""

    def services(self) -> Sequence[str]: ...

    def operations(self, service: str) -> Sequence[str]: ...

    def search(self, wanted: Wanted) -> Sequence[Trace]:
        """The latest first."""
        ...

    def trace(self, trace_id: str) -> Trace:
        """In order of start; empty when there is none."""
        ...


@dataclass(frozen=True)
class HttpJaeger:
    """Asked over HTTP."""

    server: Server

    def services(self) -> Sequence[str]:
        return sorted(self._ask("/api/services"))

    def operations(self, service: str) -> Sequence[str]:
        return sorted(self._ask(f"/api/services/{quote(service, safe='')}/operations"))

    def search(self, wanted: Wanted) -> Sequence[Trace]:
        found = [spans(each) for each in self._ask(f"/api/traces?{urlencode(list(_asked(wanted)))}")]
        return sorted((each for each in found if each), key=lambda trace: -trace[0].start_ns)

    def trace(self, trace_id: str) -> Trace:
        found = self._ask(f"/api/traces/{quote(trace_id, safe='')}")
        return spans(found[0]) if found else ()

    def _ask(self, path: str) -> list[Any]:
        status, answer = self.server.ask(path)
        if status == HTTPStatus.NOT_FOUND and isinstance(answer, dict):
            return []
        if not is_ok(status) or not isinstance(answer, dict) or "data" not in answer:
            errors = answer.get("errors") if isinstance(answer, dict) else None
            said = "; ".join(str(each.get("msg")) for each in errors or ())
            raise Unreachable(f"{self.server.url} is no Jaeger, or cannot answer ({status}): {said}")
        found: list[Any] = answer["data"] or []
        return found


def _asked(wanted: Wanted) -> Iterator[tuple[str, str]]:
    yield from (
        ("service", wanted.service),
        ("start", str(wanted.start)),
        ("end", str(wanted.end)),
        ("limit", str(wanted.limit)),
    )
    plain = (
        ("operation", wanted.operation),
        ("minDuration", wanted.shortest),
        ("maxDuration", wanted.longest),
    )
    yield from ((name, value) for name, value in plain if value)
    yield from (("tag", f"{key}:{value}") for key, value in (wanted.tags or {}).items())


def spans(trace: Object) -> Trace:
    """Of a trace in Jaeger's own JSON, in order of start."""
    processes: Mapping[str, Object] = trace.get("processes") or {}
    found = (_span(each, processes.get(each.get("processID", ""), {})) for each in trace.get("spans") or ())
    return sorted(found, key=lambda span: (span.start_ns, -span.end_ns))


def _span(given: Object, process: Object) -> Span:
    of_process = dict(_tags(process))
    attributes = {**of_process, **dict(_tags(given))}
    start = int(given["startTime"]) * 1000
    made = Span(
        trace_id=given["traceID"],
        span_id=given["spanID"],
        parent_id=_parent(given),
        service=str(process.get("serviceName", "unknown")),
        workload=str(of_process.get("workload", "")),
        operation=str(given.get("operationName", "")),
        kind=_kind(attributes.pop("span.kind", "")),
        start_ns=start,
        end_ns=start + int(given.get("duration", 0)) * 1000,
        status=_status(attributes),
        attributes=attributes,
    )
    return replace(made, service=service_of(made))


def _tags(of: Object) -> Iterator[tuple[str, Value]]:
    for tag in of.get("tags") or ():
        value = tag.get("value")
        yield str(tag["key"]), value if isinstance(value, str | bool | int | float) else str(value)


def _parent(given: Object) -> str:
    references = given.get("references") or ()
    above = [each for each in references if each.get("refType") == "CHILD_OF"] or references
    return str(above[0]["spanID"]) if above else ""


def _kind(value: Value) -> Kind:
    try:
        return Kind(str(value))
    except ValueError:
        return Kind.INTERNAL


def _status(attributes: Mapping[str, Value]) -> Status:
    failed = attributes.get("error") in (True, "true") or attributes.get("otel.status_code") == "ERROR"
    return Status.ERROR if failed else Status.UNSET
