"""Lines of logs over HTTP: `GET /api/logs`, for whoever looks at a trace or a span.

Parameters: `trace`, `span`, `level` (that or worse), `pod` (or the beginning of its name), `proxies=false`, `start` and `end` (µs since
1970, as Jaeger has them), `limit`. The answer is as Jaeger's are: {"data": [...], "errors": ...}.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mesh.observe.logline import LEVELS, Line
from mesh.observe.logsearch import LIMIT, MOST, Wanted, search

_ID: Final = re.compile(r"[0-9a-f]{1,32}")
_SPAN: Final = re.compile(r"[0-9a-f]{16}")
_DIGITS: Final = re.compile(r"\d{1,19}")
_LATEST: Final = 2**63 - 1


class Malformed(Exception):
    """A parameter cannot be read. The text names it."""


class Logs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one = asyncio.Semaphore(1)

    def routes(self) -> list[Route]:
        return [Route("/api/logs", self._lines)]

    async def _lines(self, request: Request) -> Response:
        try:
            wanted = asked(request.query_params)
        except Malformed as told:
            return _response({"data": None, "errors": [{"code": 400, "msg": str(told)}]}, 400)
        async with self._one:
            found = await asyncio.to_thread(search, self._folder, wanted)
        return _response({"data": [_told(each) for each in found], "total": len(found), "errors": None}, 200)


def asked(parameters: Mapping[str, str]) -> Wanted:
    """Raises Malformed."""
    trace, span = parameters.get("trace", "").lower(), parameters.get("span", "").lower()
    level = parameters.get("level", "") or LEVELS[0]
    if trace and not _ID.fullmatch(trace):
        raise Malformed("parameter 'trace' must be up to 32 hexadecimal digits")
    if span and not _SPAN.fullmatch(span):
        raise Malformed("parameter 'span' must be 16 hexadecimal digits")
    if level not in LEVELS:
        raise Malformed(f"parameter 'level' must be one of {', '.join(LEVELS)}")
    return Wanted(
        trace=trace.zfill(32) if trace else "",
        span=span,
        level=level,
        pod=parameters.get("pod", ""),
        proxies=parameters.get("proxies", "true") != "false",
        start_ns=_number(parameters, "start", 0) * 1000,
        end_ns=min(_number(parameters, "end", _LATEST) * 1000, _LATEST),
        limit=min(_number(parameters, "limit", LIMIT), MOST),
    )


def _number(parameters: Mapping[str, str], name: str, default: int) -> int:
    found = parameters.get(name, "")
    if found and not _DIGITS.fullmatch(found):
        raise Malformed(f"parameter '{name}' must be a number")
    return int(found) if found else default


def _told(found: Line) -> dict[str, Any]:
    return {
        "time": found.at_ns // 1000 if found.at_ns is not None else None,
        "pod": found.pod,
        "container": found.container,
        "level": found.level,
        "message": found.message,
        "traceID": found.trace,
        "spanID": found.span,
        "fields": found.fields,
        "line": found.text,
    }


def _response(body: dict[str, Any], code: int) -> Response:
    told = json.dumps(body, separators=(",", ":")).encode()
    return Response(told, code, media_type="application/json", headers={"X-Content-Type-Options": "nosniff"})
