"""How a proxy has shared requests among clusters, by its own count: the admin page ``/clusters?format=json`` before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any, Final

from mesh.explain.answer import Answer

PATH: Final = "/clusters?format=json"
#: Of a fair draw, one in sixteen thousand is further off than so many standard deviations.
_DEVIATIONS: Final = 4.0

Counts = Mapping[str, int]


def counts(page: Mapping[str, Any]) -> Counts:
    """Requests so far by cluster name."""
    return {
        each["name"]: sum(map(_requests, each.get("host_statuses", ()))) for each in page["cluster_statuses"]
    }


def _requests(host: Mapping[str, Any]) -> int:
    return next((int(s.get("value", 0)) for s in host.get("stats", ()) if s.get("name") == "rq_total"), 0)


def difference(answer: Answer, before: Counts, after: Counts) -> str:
    """Where the counted shares are not those of the weights, and chance cannot be why; empty when they are."""
    expected: dict[tuple[str, str], float] = {}
    for each in answer.destinations:
        key = (each.host, each.subset)
        expected[key] = expected.get(key, 0.0) + each.share
    got = {key: _of(key, after) - _of(key, before) for key in expected}
    total = sum(got.values())
    off = list(_off(expected, got, total)) if total else ["nothing was counted"]
    return f"shares of {total} requests: {', '.join(off)}" if off else ""


def _off(
    expected: Mapping[tuple[str, str], float], got: Mapping[tuple[str, str], int], total: int
) -> Iterable[str]:
    for key, share in expected.items():
        found = got[key] / total
        if abs(found - share) > _DEVIATIONS * sqrt(share * (1 - share) / total):
            yield f"expected {share * 100:.4g}% to {' '.join(key).strip()}, got {found * 100:.4g}%"


def _of(key: tuple[str, str], counted: Counts) -> int:
    host, subset = key
    return sum(
        n
        for name, n in counted.items()
        if name.split("|")[2:] == [subset, host] and name.startswith("outbound")
    )
