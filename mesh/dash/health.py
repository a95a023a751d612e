"""How well a node does, by rules of its own, and why. Used by topology.

A workload is BAD when none of its pods is ready, a proxy has rejected its configuration, or 10 % of the calls that it answers fail; POOR when
some pods are not ready or 1 % fail. The two shares are its own to say: annotation ``meshwright.dev/health: "0.1% 5%"`` on its pods.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mesh.dash.graph import Edge, Health, Pod

ANNOTATION: Final = "meshwright.dev/health"
POOR: Final = 0.01
BAD: Final = 0.1
_LONGEST: Final = 160
_SHARES: Final = re.compile(r"\s*([\d.]+)\s*%[\s,]+([\d.]+)\s*%\s*")


def limits(text: str) -> tuple[float, float]:
    """(poor, bad) as shares; those of everybody where the annotation is absent or says nothing."""
    found = _SHARES.fullmatch(text)
    try:
        return (float(found[1]) / 100, float(found[2]) / 100) if found else (POOR, BAD)
    except ValueError:
        return POOR, BAD


def health(
    pods: Sequence[Pod], incoming: Sequence[Edge], shares: tuple[float, float]
) -> tuple[Health, tuple[str, ...]]:
    """``why`` is empty when it is GOOD or IDLE."""
    found = [*_of_pods(pods), *_of_calls(incoming, shares)]
    why = tuple(text for _, text in found)
    if any(each is Health.BAD for each, _ in found):
        return Health.BAD, why
    if found:
        return Health.POOR, why
    return (Health.GOOD if any(each.rate or each.bytes for each in incoming) else Health.IDLE), ()


def _of_pods(pods: Sequence[Pod]) -> list[tuple[Health, str]]:
    found = []
    missing = [each for each in pods if not each.ready]
    if missing:
        worst = Health.BAD if len(missing) == len(pods) else Health.POOR
        reason = next((f": {_short(each.reason)}" for each in missing if each.reason), "")
        found.append((worst, f"{len(missing)} of {len(pods)} pods are not ready{reason}"))
    found += [
        (Health.BAD, f"{each.name} rejected its configuration: {each.rejected}")
        for each in pods
        if each.rejected
    ]
    return found


def _of_calls(incoming: Sequence[Edge], shares: tuple[float, float]) -> list[tuple[Health, str]]:
    rate = sum(each.rate for each in incoming)
    failing = sum(each.rate * each.failed for each in incoming)
    share = failing / rate if rate else 0.0
    poor, bad = shares
    found = []
    if share >= poor:
        found.append(
            (Health.BAD if share >= bad else Health.POOR, f"{_percent(share)} of the calls to it fail")
        )
    if any(each.mtls is False for each in incoming):
        found.append((Health.BAD, "calls come in without mTLS"))
    found += [
        (Health.BAD, f"the circuit of {_name(each.source)} for it is open") for each in incoming if each.open
    ]
    found += [
        (Health.POOR, f"{_name(each.source)} has ejected {each.ejected} of its pods")
        for each in incoming
        if each.ejected
    ]
    return found


def _name(node: str) -> str:
    return node.rpartition("/")[2]


def _percent(share: float) -> str:
    digits = 0 if share >= BAD else 1
    return f"{share * 100:.{digits}f}".removesuffix(".0") + " %"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
