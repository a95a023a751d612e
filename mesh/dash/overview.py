"""The graph of a mesh now, or as it was, and how busy it was in the last hour: read from the sources. Used by app."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh.dash import queries
from mesh.dash.fetch import Unreachable
from mesh.dash.graph import Graph
from mesh.dash.prometheus import Series
from mesh.dash.sources import Sources
from mesh.dash.topology import graph
from mesh.dash.traffic import Traffic, traffic

_NOTHING: Final = Traffic({}, {})
HOUR: Final = 3600.0
STEP: Final = 30.0


def overview(sources: Sources, now: float, at: float | None = None, window: float | None = None) -> Graph:
    """Objects are those of now: nobody keeps earlier ones. Without metrics the graph is what is configured, and says so. Raises Unreachable."""
    objects = sources.kubernetes.objects()
    window = window or sources.window
    notes = list(sources.said())
    seen = _NOTHING
    if sources.prometheus is None:
        notes.append(
            "no Prometheus is known here: rates and edges are missing (`mesh dash --prometheus URL`)"
        )
    else:
        try:
            seen = traffic(sources.prometheus, window, at)
        except Unreachable as told:
            notes.append(f"no metrics: {told}")
    return graph(objects, seen, at or now, window, notes)


def history(sources: Sources, now: float) -> dict[str, Any]:
    """Requests a second of the whole mesh, all and those that failed, every STEP of the last hour. Raises Unreachable."""
    if sources.prometheus is None:
        return {"times": [], "all": [], "failed": []}
    end = now - now % STEP
    window = max(sources.window, STEP)
    everything, good = (
        _first(sources.prometheus.series(queries.written(query, window), end - HOUR, end, STEP))
        for query in (queries.ALL, queries.GOOD)
    )
    times = [end - HOUR + i * STEP for i in range(int(HOUR / STEP) + 1)]
    rates = [everything.get(at, 0.0) for at in times]
    failed = [max(0.0, rate - good.get(at, 0.0)) for at, rate in zip(times, rates, strict=True)]
    return {"times": times, "all": rates, "failed": failed}


def _first(found: Sequence[Series]) -> dict[float, float]:
    return dict(found[0].points) if found else {}
