"""Prometheus' HTTP API over the observatory's own hour of samples: what Grafana, Kiali, canary analysis and the page ask.

Input: requests, by GET or POST. Output: answers in Prometheus' JSON, its errors among them.
Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mesh.observe.metrics.metrics import Metrics
from mesh.observe.metrics.series import Labels
from mesh.observe.metrics.text import family
from mesh.observe.prometheusquery import Parameters
from mesh.observe.prometheusstatus import BUILD, CONFIGURATION, FLAGS, runtime, targets
from mesh.observe.promql import answer
from mesh.observe.promql.nodes import BadQuery
from mesh.observe.promql.rows import CannotAnswer

AT_ONCE: Final = 2
"""Answers put together at a time; the others wait."""
MOST_BYTES: Final = 1 << 20
"""Of a request's form."""

_Answer = Callable[[Parameters], Any]
_CODES: Final[dict[type[Exception], tuple[int, str]]] = {
    BadQuery: (400, "bad_data"),
    CannotAnswer: (422, "execution"),
    RecursionError: (422, "execution"),
}


class Prometheus:
    """Each method answers one route with its ``data``, on a thread. They raise what _CODES knows."""

    def __init__(self, metrics: Metrics, clock: Callable[[], float] = time.time) -> None:
        """``clock`` tells seconds since 1970."""
        self._metrics = metrics
        self._clock = clock
        self._began = clock()
        self._places = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[Route]:
        answers: dict[str, _Answer] = {
            "query": self.query,
            "query_range": self.query_range,
            "series": self.series,
            "labels": self.labels,
            "label/{name}/values": self.values,
            "metadata": self.metadata,
            "targets": lambda given: targets(self._metrics.scraper),
            "rules": lambda given: {"groups": []},
            "alerts": lambda given: {"alerts": []},
            "query_exemplars": lambda given: [],
            "status/buildinfo": lambda given: BUILD,
            "status/config": lambda given: CONFIGURATION,
            "status/flags": lambda given: FLAGS,
            "status/runtimeinfo": lambda given: runtime(self._metrics.store, self._began),
        }
        found = [
            Route(f"/api/v1/{path}", self._endpoint(answer), methods=["GET", "POST"])
            for path, answer in answers.items()
        ]
        return [*found, Route("/-/healthy", _well), Route("/-/ready", _well)]

    def query(self, given: Parameters) -> answer.Json:
        return answer.instant(self._metrics.store, given.text("query"), given.time("time", self._now()))

    def query_range(self, given: Parameters) -> answer.Json:
        start, end = given.time("start"), given.time("end")
        if end < start:
            raise BadQuery('invalid parameter "end": end timestamp must not be before start time')
        return answer.over(self._metrics.store, given.text("query"), start, end, given.step())

    def series(self, given: Parameters) -> list[Labels]:
        if not given.given.get("match[]"):
            raise BadQuery("no match[] parameter provided")
        unique = {frozenset(labels.items()): labels for labels in self._meant(given)}
        return list(unique.values())[: given.limit()]

    def labels(self, given: Parameters) -> list[str]:
        return sorted({name for labels in self._meant(given) for name in labels})[: given.limit()]

    def values(self, given: Parameters) -> list[str]:
        name = given.text("name")
        return sorted({labels[name] for labels in self._meant(given) if name in labels})[: given.limit()]

    def metadata(self, given: Parameters) -> dict[str, list[answer.Json]]:
        """Nobody tells help or units."""
        wanted, types = given.given.get("metric", [""])[0], self._metrics.types
        names = {family(name, types) for name in self._metrics.store.names()}
        told = sorted(name for name in names if wanted in ("", name))[: given.limit()]
        return {name: [{"type": types.get(name, "unknown"), "help": "", "unit": ""}] for name in told}

    def _meant(self, given: Parameters) -> Iterator[Labels]:
        """Labels of the series that fit a selector, or of all where there is none."""
        start, end = given.time("start", 0), given.time("end", self._now())
        store, selectors = self._metrics.store, given.selectors()
        if not selectors:
            yield from (column.labels for column in store.select(None, lambda labels: True, start, end))
        for each in selectors:
            yield from (column.labels for column in store.select(each.name, each.wants, start, end))

    def _now(self) -> int:
        return round(self._clock() * 1000)

    def _endpoint(self, found: _Answer) -> Callable[[Request], Awaitable[Response]]:
        def body(given: Parameters) -> bytes:
            return _encoded({"status": "success", "data": found(given)})

        async def endpoint(request: Request) -> Response:
            async with self._places:
                try:
                    told, code = await asyncio.to_thread(body, await _parameters(request)), 200
                except tuple(_CODES) as error:
                    code, kind = _CODES[type(error)]
                    told = _encoded({"status": "error", "errorType": kind, "error": str(error)})
            return Response(told, code, media_type="application/json")

        return endpoint


async def _parameters(request: Request) -> Parameters:
    given: dict[str, list[str]] = {name: [value] for name, value in request.path_params.items()}
    form = bytearray()
    async for part in request.stream():
        form += part
        if len(form) > MOST_BYTES:
            raise BadQuery(f"a request has at most {MOST_BYTES} bytes")
    for source in (form.decode(errors="replace"), request.url.query):
        for name, values in parse_qs(source, keep_blank_values=True, max_num_fields=1000).items():
            if name not in request.path_params:
                given.setdefault(name, []).extend(values)
    return Parameters(given)


def _encoded(found: answer.Json) -> bytes:
    return json.dumps(found, separators=(",", ":")).encode()


async def _well(request: Request) -> Response:
    return PlainTextResponse("Prometheus Server is Ready.\n")
