"""Watches: one JSON line an event, from the store's log, for as long as the client listens.

Semantics: https://kubernetes.io/docs/reference/using-api/api-concepts/ (watch, bookmarks, streaming lists).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mesh.local.api import table
from mesh.local.api.answer import encode, status_object
from mesh.local.api.body import is_true, number
from mesh.local.api.read import selected, selectors
from mesh.local.api.service import Service
from mesh.local.api.target import Target
from mesh.local.store import Change, Event, Object, Refused
from mesh.local.store.selector import Matches, matcher

LONGEST = 3600.0
"""Seconds after which a watch that named no timeout ends; clients resume by themselves."""

INITIAL_END = {"annotations": {"k8s.io/initial-events-end": "true"}}


@dataclass(frozen=True)
class Watch:
    """One client's watch: what it wants to see, and how it wants it written."""

    target: Target
    matches: Matches
    write: Callable[[Object], Object]
    bookmarks: bool

    def lines(self, events: Iterable[Event]) -> bytes:
        told = (self._seen(event) for event in events)
        return b"".join(_line(change, self.write(obj)) for change, obj in filter(None, told))

    def bookmark(self, version: int, **metadata: object) -> bytes:
        kind = {"kind": self.target.kind.name, "apiVersion": self.target.api_version}
        return _line("BOOKMARK", {**kind, "metadata": {"resourceVersion": str(version), **metadata}})

    def _seen(self, event: Event) -> tuple[str, Object] | None:
        """What stops matching the selector is DELETED to this client, what begins to is ADDED."""
        where, mine = event.key, self.target.key
        if where[:2] != mine[:2] or mine.namespace not in ("", where.namespace):
            return None
        was = event.previous is not None and self.matches(event.previous)
        now = event.change is not Change.DELETED and self.matches(event.object)
        if not was and not now:
            return None
        change = Change.MODIFIED if was and now else Change.ADDED if now else Change.DELETED
        return change, event.object


def watch(service: Service, request: Request, target: Target) -> Response:
    """Begins where ``resourceVersion`` says; without one (or with 0) what there is comes first, as ADDED."""
    made = Watch(
        target,
        matcher(target.kind, *selectors(request, target)),
        _writer(service, request, target),
        is_true(request, "allowWatchBookmarks"),
    )
    since, first = service.store.version, b""
    asked = request.query_params.get("resourceVersion", "")
    initial = is_true(request, "sendInitialEvents")
    if initial or (asked in ("", "0") and "sendInitialEvents" not in request.query_params):
        first = b"".join(_line("ADDED", made.write(obj)) for obj in selected(service, request, target))
        first += made.bookmark(since, **INITIAL_END) if initial else b""
    elif asked not in ("", "0"):
        since = number(request, "resourceVersion") or since
    seconds = number(request, "timeoutSeconds")
    stream = _stream(
        service, made, first, since, time.monotonic() + (LONGEST if seconds is None else seconds)
    )
    return StreamingResponse(stream, media_type="application/json")


async def _stream(
    service: Service, made: Watch, first: bytes, since: int, deadline: float
) -> AsyncIterator[bytes]:
    yield first
    while (left := deadline - time.monotonic()) > 0:
        try:
            events = await _next(service, since, min(left, service.bookmark_seconds))
        except Refused as refused:
            yield _line("ERROR", status_object(refused))
            return
        if events is None:
            return
        since = events[-1].version if events else max(since, service.store.version)
        if lines := made.lines(events):
            yield lines
        elif not events and made.bookmarks:
            yield made.bookmark(since)


async def _next(service: Service, since: int, seconds: float) -> Sequence[Event] | None:
    """What happened next: nothing within that time is an empty answer, nothing ever again is None."""
    try:
        async with service.streams.limit(seconds):
            return await service.store.after(since) or None
    except TimeoutError:
        return None if service.streams.closed else ()


def _writer(service: Service, request: Request, target: Target) -> Callable[[Object], Object]:
    if not table.wanted(request.headers.get("accept", "")):
        return target.shown
    include = request.query_params.get("includeObject", "")

    def row(obj: Object) -> Object:
        return table.table(target, [obj], obj["metadata"]["resourceVersion"], include, service.now())

    return row


def _line(change: str, obj: Object) -> bytes:
    return encode({"type": change, "object": obj}) + b"\n"
