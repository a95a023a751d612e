"""Jaeger's query API, for its UI and for whatever else speaks it: routes for the application that serves them.

Answers are read from search and put together on threads. Sources: jaegertracing/jaeger, cmd/query/app/http_handler.go;
jaegertracing/jaeger-ui, packages/jaeger-ui/src/api/jaeger.ts.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mesh.observe.jaegermodel import Object, trace_of
from mesh.observe.jaegerquery import Malformed, query, trace_id, trace_ids, window
from mesh.observe.search import LARGEST_TRACE, CannotSearch, Search
from mesh.observe.span import Span
from mesh.observe.topology import topology

AT_ONCE = 2
"""Answers put together at a time; the others wait."""

_Answer = Callable[[Request], list[Any]]


class NotFound(Exception):
    """There is no such trace."""


_CODES: dict[type[Exception], int] = {Malformed: 400, NotFound: 404, CannotSearch: 503}


class Jaeger:
    """Each method answers one route with its ``data``, on a thread. They raise what _CODES knows."""

    def __init__(self, search: Search, clock: Callable[[], int] = time.time_ns) -> None:
        """``clock`` tells nanoseconds since 1970."""
        self._search = search
        self._clock = clock
        self._places = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[Route]:
        answers: dict[str, _Answer] = {
            "/api/services": self.services,
            "/api/services/{service:path}/operations": self.operation_names,
            "/api/operations": self.operations,
            "/api/traces": self.traces,
            "/api/traces/{id}": self.trace,
            "/api/dependencies": self.dependencies,
        }
        return [Route(path, self._endpoint(answer)) for path, answer in answers.items()]

    def services(self, request: Request) -> list[str]:
        return self._search.services()

    def operation_names(self, request: Request) -> list[str]:
        found = self._search.operations(request.path_params["service"])
        return list(dict.fromkeys(name for name, _ in found))

    def operations(self, request: Request) -> list[Object]:
        if not (service := request.query_params.get("service")):
            raise Malformed("parameter 'service' is required")
        wanted = request.query_params.get("spanKind")
        found = self._search.operations(service)
        return [{"name": name, "spanKind": kind} for name, kind in found if wanted in (None, "", kind)]

    def traces(self, request: Request) -> list[Object]:
        """By ``traceID``, any number of times, or else by everything else."""
        if ids := trace_ids(request.query_params):
            found = [self._search.trace(each) for each in ids]
        else:
            found = self._search.traces(query(request.query_params, self._clock()))
        return [_trace(spans) for spans in found if spans]

    def trace(self, request: Request) -> list[Object]:
        spans = self._search.trace(trace_id(request.path_params["id"]))
        if not spans:
            raise NotFound("trace not found")
        return [_trace(spans)]

    def dependencies(self, request: Request) -> list[Object]:
        asked = window(request.query_params, self._clock())
        service = request.query_params.get("service")
        calls: Counter[tuple[str, str]] = Counter()
        for edge in topology(self._search, asked.start_ns, asked.end_ns):
            if service in (None, "", edge.caller, edge.callee):
                calls[edge.caller, edge.callee] += edge.calls
        return [
            {"parent": parent, "child": child, "callCount": count} for (parent, child), count in calls.items()
        ]

    def _endpoint(self, answer: _Answer) -> Callable[[Request], Awaitable[Response]]:
        def body(request: Request) -> bytes:
            return _encoded(answer(request))

        async def endpoint(request: Request) -> Response:
            async with self._places:
                try:
                    found, code = await asyncio.to_thread(body, request), 200
                except tuple(_CODES) as told:
                    code = _CODES[type(told)]
                    found = _encoded(None, [{"code": code, "msg": str(told)}])
            return Response(found, code, media_type="application/json")

        return endpoint


def _trace(spans: Sequence[Span]) -> Object:
    cut = len(spans) >= LARGEST_TRACE
    return trace_of(spans, [f"only the first {LARGEST_TRACE} spans are shown"] if cut else [])


def _encoded(data: list[Any] | None, errors: Sequence[Object] | None = None) -> bytes:
    answer = {"data": data, "total": len(data or ()), "limit": 0, "offset": 0, "errors": errors}
    return json.dumps(answer, separators=(",", ":")).encode()
