"""Prometheus as topology asks it: that of a cluster, or the observatory of `mesh up`, which speaks the same API.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from mesh.dash.fetch import Server, Unreachable, is_ok


@dataclass(frozen=True)
class Sample:
    """One series of an answer, with its value at the time that was asked for."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Series:
    """One series of a range: (seconds since 1970, value)."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


class Prometheus(Protocol):
    """What knows the metrics of a mesh."""

    def instant(self, query: str, at: float | None = None) -> Sequence[Sample]:
        """``at`` is in seconds since 1970; now when it is None. Raises Unreachable."""
        ...

    def series(self, query: str, start: float, end: float, step: float) -> Sequence[Series]:
        """Raises Unreachable."""
        ...


@dataclass(frozen=True)
class HttpPrometheus:
    """Asked over HTTP."""

    server: Server

    def instant(self, query: str, at: float | None = None) -> Sequence[Sample]:
        asked = {"query": query, **({} if at is None else {"time": f"{at:.3f}"})}
        found = self._ask(f"/api/v1/query?{urlencode(asked)}")
        return [Sample(each["metric"], float(each["value"][1])) for each in found]

    def series(self, query: str, start: float, end: float, step: float) -> Sequence[Series]:
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        found = self._ask(f"/api/v1/query_range?{urlencode(asked)}")
        return [
            Series(each["metric"], [(float(at), float(value)) for at, value in each["values"]])
            for each in found
        ]

    def _ask(self, path: str) -> list[Any]:
        status, answer = self.server.ask(path)
        if not is_ok(status) or not isinstance(answer, dict) or answer.get("status") != "success":
            said = answer.get("error", "") if isinstance(answer, dict) else ""
            raise Unreachable(f"{self.server.url} is no Prometheus, or cannot answer ({status}): {said}")
        found: list[Any] = answer["data"]["result"]
        return found
