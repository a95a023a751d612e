"""The page's application: its files, and what it asks for, as JSON. Each answer is made on a thread."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mesh.dash.change import apply, check, rule, rules, shares
from mesh.dash.fetch import Unreachable
from mesh.dash.kubernetes import Refused
from mesh.dash.malformed import Malformed
from mesh.dash.overview import history, overview
from mesh.dash.service import call, explain, service
from mesh.dash.sources import Sources
from mesh.dash.traces import logs, search, services, trace

PAGE: Final = Path(__file__).with_name("page")

LARGEST: Final = 1024 * 1024

Object = Mapping[str, Any]
Answer = Callable[[Sources, Object], Any]


def app(sources: Sources, clock: Callable[[], float] = time.time) -> Starlette:
    """``clock`` tells seconds since 1970."""

    def about(sources: Sources, asked: Object) -> Any:
        return {
            "name": sources.name,
            "window": sources.window,
            "local": sources.local,
            "metrics": sources.prometheus is not None,
            "traces": sources.jaeger is not None,
            "logs": sources.logs is not None,
        }

    def graph(sources: Sources, asked: Object) -> Any:
        return asdict(overview(sources, clock(), number(asked, "at"), number(asked, "window")))

    def rates(sources: Sources, asked: Object) -> Any:
        return history(sources, clock())

    def traces(sources: Sources, asked: Object) -> Any:
        return search(sources, asked, clock)

    def moved(sources: Sources, asked: Object) -> Any:
        return shares(sources, asked, clock)

    def one(sources: Sources, asked: Object) -> Any:
        return service(sources, asked, clock)

    reads: dict[str, Answer] = {
        "/api/about": about,
        "/api/graph": graph,
        "/api/history": rates,
        "/api/services": services,
        "/api/traces": traces,
        "/api/trace": trace,
        "/api/logs": logs,
        "/api/service": one,
        "/api/explain": explain,
        "/api/rules": rules,
        "/api/rule": rule,
        "/api/shares": moved,
    }
    writes: dict[str, Answer] = {"/api/check": check, "/api/apply": apply, "/api/call": call}
    return Starlette(
        routes=[
            *(Route(path, _reading(sources, answer)) for path, answer in reads.items()),
            *(Route(path, _writing(sources, answer), methods=["POST"]) for path, answer in writes.items()),
            Mount("/", StaticFiles(directory=PAGE, html=True)),
        ]
    )


def number(asked: Object, name: str) -> float | None:
    """A finite number above 0, or None where nothing is given. Raises Malformed."""
    text = asked.get(name)
    if text in (None, ""):
        return None
    try:
        found = float(str(text))
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found > 0):
        raise Malformed(f"{name} is no number above 0")
    return found


def _reading(sources: Sources, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await _answered(lambda: answer(sources, request.query_params))

    return endpoint


def _writing(sources: Sources, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return _json({"error": "this is too large"}, 413)
        return await _answered(lambda: answer(sources, _object(bytes(body))))

    return endpoint


def _object(body: bytes) -> Object:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Malformed("the body is no JSON object")
    return found


async def _answered(answer: Callable[[], Any]) -> Response:
    try:
        return _json(await asyncio.to_thread(answer), 200)
    except Malformed as told:
        return _json({"error": str(told)}, 400)
    except Refused as told:
        return _json({"error": str(told)}, told.status)
    except Unreachable as told:
        return _json({"error": str(told)}, 502)


def _json(found: Any, status: int) -> Response:
    text = json.dumps(found, separators=(",", ":"), allow_nan=False)
    return Response(text, status, media_type="application/json")
