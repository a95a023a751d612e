"""A trace as rows to read from top to bottom: who called whom, and what its duration was spent on. Used by `mesh trace`.

Input: a trace's spans. A caller that wrote none, or whose span is still to come, leaves its calls standing at the top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from mesh.observe.span import Span

Children = Mapping[str, Sequence[Span]]


@dataclass(frozen=True)
class Row:
    """``depth`` counts callers that are shown; ``critical``: a shorter span here would have made the whole trace shorter."""

    span: Span
    depth: int
    critical: bool


def waterfall(spans: Sequence[Span], proxies: bool = False) -> list[Row]:
    """Callers before what they called, and that in order of start.

    Without ``proxies``, a sidecar's spans are left out where the service beside it has its own; a call that it sent on stands
    below the service that made it. Spans whose callers go in a circle come last.
    """
    shown = spans if proxies else _folded(spans)
    known = {span.span_id: span for span in spans}
    kept = {span.span_id for span in shown}
    children: dict[str, list[Span]] = defaultdict(list)
    for span in sorted(shown, key=lambda each: (each.start_ns, -each.end_ns)):
        children[_caller(span, known, kept)].append(span)
    critical = {span.span_id for top in children[""] for span in _critical(top, children)}
    rows = [Row(span, depth, span.span_id in critical) for span, depth in _walk(children)]
    found = {row.span.span_id for row in rows}
    return rows + [Row(span, 0, False) for span in shown if span.span_id not in found]


def is_proxy(span: Span) -> bool:
    """Whether an Envoy has written it."""
    return span.attributes.get("component") == "proxy"


def request(span: Span) -> str:
    """What was asked for, short: a method's name, of HTTP the method and the path or route, or whatever the span is called."""
    name = (_asked_of_proxy(span) if is_proxy(span) else "") or span.operation
    return name if " " in name else name.rpartition("/")[2] or name


def _asked_of_proxy(span: Span) -> str:
    """From Envoy's own tags; its name for the operation is that of a route."""
    if path := span.attributes.get("grpc.path"):
        return str(path)
    verb, url = (str(span.attributes.get(name, "")) for name in ("http.method", "http.url"))
    return f"{verb} {_path(url)}" if verb and url else ""


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return url


def _folded(spans: Sequence[Span]) -> list[Span]:
    speaking = {span.service for span in spans if not is_proxy(span)}
    seen: set[str] = set()
    found = []
    for span in sorted(spans, key=lambda each: each.start_ns):
        if not is_proxy(span):
            found.append(span)
        elif span.service not in speaking and span.service not in seen:  # who has no spans but its proxy's
            seen.add(span.service)
            found.append(span)
    return found


def _caller(span: Span, known: Mapping[str, Span], kept: set[str]) -> str:
    """The id of the nearest span above that is shown, or ""."""
    above, passed = span.parent_id, {span.span_id}
    while above in known and above not in passed:
        if above in kept:
            return above
        passed.add(above)
        above = known[above].parent_id
    return ""


def _walk(children: Children) -> Iterator[tuple[Span, int]]:
    waiting = [(span, 0) for span in reversed(children[""])]
    while waiting:
        span, depth = waiting.pop()
        yield span, depth
        waiting += [(child, depth + 1) for child in reversed(children.get(span.span_id, ()))]


def _critical(top: Span, children: Children) -> Iterator[Span]:
    """Backwards in time, always the one that ended last before what followed it began. A call that outlives its caller counts until the caller's end."""
    waiting = [(top, top.end_ns)]
    while waiting:
        span, end_ns = waiting.pop()
        yield span
        for child in sorted(children.get(span.span_id, ()), key=lambda each: each.end_ns, reverse=True):
            ended = min(child.end_ns, span.end_ns)
            if ended <= end_ns:
                waiting.append((child, ended))
                end_ns = child.start_ns
