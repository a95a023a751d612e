"""Who calls whom: spans of a window -> one edge for each caller, callee and method, with outcomes and latencies.

Input: spans from search, complete traces or not. Output: for the page and for Jaeger's dependencies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mesh.observe.call import address, method, outcome, peer, rpc_service, service_of
from mesh.observe.search import Search
from mesh.observe.span import Kind, Span

SPANS = 50_000
"""The latest of a window that are looked at: about two seconds' work."""

_Spans = Mapping[tuple[str, str], Span]
"""By trace and span id."""

Name = Callable[[Span], str]
"""What a span is a span of: ``service_of`` or ``workload_of``."""


@dataclass(frozen=True)
class Edge:
    """Latencies are nanoseconds, by nearest rank, as the caller saw them where the caller has a span."""

    caller: str
    callee: str
    method: str
    statuses: Mapping[str, int]
    p50_ns: int
    p95_ns: int
    p99_ns: int

    @property
    def calls(self) -> int:
        return sum(self.statuses.values())


@dataclass(frozen=True)
class _Call:
    caller: str
    callee: str
    method: str
    status: str
    duration_ns: int


def topology(search: Search, start_ns: int, end_ns: int, name: Name = service_of) -> list[Edge]:
    """Of the window's latest spans. Raises CannotSearch."""
    return edges(search.window(start_ns, end_ns, SPANS), name)


def edges(spans: Iterable[Span], name: Name = service_of) -> list[Edge]:
    """In order of caller, callee and method. A call counts once, however many proxies it passed."""
    found: defaultdict[tuple[str, str, str], list[_Call]] = defaultdict(list)
    for call in _calls({(span.trace_id, span.span_id): span for span in spans}, name):
        found[call.caller, call.callee, call.method].append(call)
    return [_edge(key, calls) for key, calls in sorted(found.items())]


def _edge(key: tuple[str, str, str], calls: Sequence[_Call]) -> Edge:
    statuses = Counter(call.status for call in calls)
    durations = sorted(call.duration_ns for call in calls)
    p50, p95, p99 = (durations[-(-len(durations) * percent // 100) - 1] for percent in (50, 95, 99))
    return Edge(*key, dict(sorted(statuses.items())), p50, p95, p99)


def _calls(spans: _Spans, name: Name) -> Iterator[_Call]:
    yield from _answered(spans, name)
    yield from _unanswered(spans, name)


def _answered(spans: _Spans, name: Name) -> Iterator[_Call]:
    """Between a span and a parent of another name there was a call: a client's, however often it was tried."""
    counted: set[tuple[str, str, str]] = set()
    for span in spans.values():
        parent = spans.get((span.trace_id, span.parent_id))
        if parent is None or name(parent) == name(span):
            continue
        if parent.kind is not Kind.CLIENT:
            yield _call(span, name(parent), name(span), span)
        elif (key := (parent.trace_id, parent.span_id, name(span))) not in counted:
            counted.add(key)
            yield _call(parent, name(parent), name(span), span)


def _unanswered(spans: _Spans, name: Name) -> Iterator[_Call]:
    """A client's span without children: what it called has no span, or never got the call."""
    parents = {(span.trace_id, span.parent_id) for span in spans.values()}
    servers = _servers(spans.values(), name)
    for key, span in spans.items():
        if span.kind is Kind.CLIENT and key not in parents:
            callee = peer(span) or servers.get(rpc_service(span), "") or address(span)
            if callee and callee != name(span):
                yield _call(span, name(span), callee, span)


def _servers(spans: Iterable[Span], name: Name) -> Mapping[str, str]:
    """Who serves each RPC service that only one serves."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for span in spans:
        if span.kind is Kind.SERVER and (service := rpc_service(span)):
            found[service].add(name(span))
    return {service: min(names) for service, names in found.items() if len(names) == 1}


def _call(measured: Span, caller: str, callee: str, served: Span) -> _Call:
    called = method(measured) or method(served) or served.operation
    return _Call(caller, callee, called, outcome(measured), measured.duration_ns)
