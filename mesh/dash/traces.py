"""Traces as the page shows them: found ones as lines, one as a waterfall. Read from Jaeger; used by app."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from mesh.dash.fetch import Unreachable
from mesh.dash.jaeger import Jaeger, Trace, Wanted
from mesh.dash.malformed import Malformed
from mesh.dash.sources import Sources
from mesh.observe.call import outcome
from mesh.observe.span import Span, Status
from mesh.observe.summary import summary
from mesh.observe.waterfall import Row, is_proxy, request, waterfall

Asked = Mapping[str, Any]
MOST: Final = 300
_LOOKBACKS: Final = {"5m": 300, "15m": 900, "1h": 3600, "6h": 21600, "1d": 86400, "2d": 172800}
_ID: Final = re.compile(r"[0-9a-fA-F]{1,32}")
_MILLISECONDS: Final = re.compile(r"\d{1,9}(\.\d{1,3})?")


def services(sources: Sources, asked: Asked) -> Any:
    """Names, and of the one that is asked for its operations."""
    jaeger = _of(sources)
    service = str(asked.get("service") or "")
    return {"services": jaeger.services(), "operations": jaeger.operations(service) if service else []}


def search(sources: Sources, asked: Asked, now: Callable[[], float]) -> Any:
    """Lines, the latest first. Raises Malformed."""
    lookback = _LOOKBACKS.get(str(asked.get("lookback") or "1h"))
    if lookback is None:
        raise Malformed(f"lookback is one of {', '.join(_LOOKBACKS)}")
    end = int(now() * 1e6) + 1_000_000
    tags = _tags(str(asked.get("tags") or "")) | ({"error": "true"} if asked.get("errors") else {})
    wanted = Wanted(
        service=str(asked.get("service") or ""),
        operation=str(asked.get("operation") or ""),
        shortest=_duration(asked, "min"),
        longest=_duration(asked, "max"),
        tags=tags,
        start=end - lookback * 1_000_000,
        end=end,
        limit=_limit(asked),
    )
    if not wanted.service:
        raise Malformed("say of which service")
    return {"traces": [summary(each) for each in _of(sources).search(wanted)]}


def trace(sources: Sources, asked: Asked) -> Any:
    """Rows from top to bottom; with ``proxies`` those of sidecars too. Raises Malformed."""
    id_ = str(asked.get("id") or "")
    if not _ID.fullmatch(id_):
        raise Malformed("a trace's id has up to 32 hex digits")
    found = _of(sources).trace(id_)
    if not found:
        raise Malformed(f"there is no trace {id_} (any more)")
    return shown(found, bool(asked.get("proxies")))


def logs(sources: Sources, asked: Asked) -> Any:
    """What was written meanwhile, by time: of one span, or of all of a trace. Raises Malformed."""
    id_, span = str(asked.get("trace") or ""), str(asked.get("span") or "")
    if not _ID.fullmatch(id_) or (span and not _ID.fullmatch(span)):
        raise Malformed("say of which trace")
    if sources.logs is None:
        raise Unreachable(
            "logs are found by trace on this machine only: a cluster has a place of its own for them"
        )
    return {"lines": sources.logs.lines(id_, span)}


def shown(spans: Trace, proxies: bool) -> dict[str, Any]:
    """Milliseconds are from the trace's start."""
    start = spans[0].start_ns
    rows = waterfall(list(spans), proxies)
    return {
        **summary(spans),
        "proxies": sum(map(is_proxy, spans)),
        "rows": [_row(each, start) for each in rows],
    }


def _row(row: Row, start_ns: int) -> dict[str, Any]:
    span: Span = row.span
    return {
        "span": span.span_id,
        "service": span.service,
        "workload": span.workload,
        "request": request(span),
        "operation": span.operation,
        "kind": span.kind,
        "depth": row.depth,
        "critical": row.critical,
        "proxy": is_proxy(span),
        "start": (span.start_ns - start_ns) / 1e6,
        "milliseconds": span.duration_ns / 1e6,
        "failed": span.status is Status.ERROR,
        "outcome": outcome(span),
        "attributes": {key: span.attributes[key] for key in sorted(span.attributes)},
    }


def _of(sources: Sources) -> Jaeger:
    if sources.jaeger is None:
        raise Unreachable("no Jaeger is known here: `mesh dash --jaeger URL`")
    return sources.jaeger


def _tags(text: str) -> dict[str, str]:
    """``key=value`` words. Raises Malformed."""
    pairs = [word.partition("=") for word in text.split()]
    if wrong := [key for key, equals, _ in pairs if not equals or not key]:
        raise Malformed(f"tags are key=value, and {wrong[0]!r} is not")
    return {key: value for key, _, value in pairs}


def _duration(asked: Asked, name: str) -> str:
    text = str(asked.get(name) or "")
    if text and not _MILLISECONDS.fullmatch(text):
        raise Malformed(f"{name} is a number of milliseconds")
    return f"{text}ms" if text else ""


def _limit(asked: Asked) -> int:
    text = str(asked.get("limit") or "100")
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        raise Malformed(f"limit is a number up to {MOST}")
    return int(text)
