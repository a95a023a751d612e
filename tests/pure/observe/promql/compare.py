"""Whether two answers of Prometheus' query API say the same, but for the last digits."""

from __future__ import annotations

import math
from typing import Any

from mesh.observe.metrics.series import Store
from mesh.observe.promql import answer
from mesh.observe.promql.nodes import BadQuery
from mesh.observe.promql.rows import CannotAnswer

Told = dict[str, Any]


def ours(store: Store, query: str, start: int, end: int, step: int) -> Told:
    """At a moment where ``step`` is 0. Errors by their kind."""
    try:
        return answer.over(store, query, start, end, step) if step else answer.instant(store, query, end)
    except BadQuery:
        return {"error": "bad_data"}
    except CannotAnswer:
        return {"error": "execution"}


def differences(mine: Told, theirs: Told) -> str:
    """ "" when there are none."""
    if mine.get("error") != theirs.get("error") or mine.get("resultType") != theirs.get("resultType"):
        return f"here {_short(mine)}, there {_short(theirs)}"
    if "error" in mine:
        return ""
    if mine["resultType"] in ("scalar", "string"):
        same = _same([mine["result"]], [theirs["result"]])
        return "" if same else f"here {mine['result']}, there {theirs['result']}"
    here, there = _by_labels(mine), _by_labels(theirs)
    for labels in here.keys() | there.keys():
        if not _same(here.get(labels, []), there.get(labels, [])):
            return f"{sorted(labels)}: here {here.get(labels)}, there {there.get(labels)}"
    return ""


def _short(told: Told) -> str:
    return str(told)[:300]


def _by_labels(told: Told) -> dict[frozenset[tuple[str, str]], list[Any]]:
    return {
        frozenset(each["metric"].items()): each["values"] if "values" in each else [each["value"]]
        for each in told["result"]
    }


def _same(here: list[Any], there: list[Any]) -> bool:
    return len(here) == len(there) and all(
        a[0] == b[0] and _near(a[1], b[1]) for a, b in zip(here, there, strict=True)
    )


def _near(here: str, there: str) -> bool:
    if here == there:
        return True
    try:
        return math.isclose(float(here), float(there), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False
