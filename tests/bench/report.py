"""What a section found, as rows of a table or as JSON; figures of one run that are to be compared are ratios."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One figure. ``aim`` is what the project wants it to be, in the same unit; empty when it is only told."""

    section: str
    name: str
    value: float
    unit: str
    aim: str = ""
    spread: str = ""


def ratio(
    section: str, name: str, over: Sequence[float], under: Sequence[float], aim: str, spread: bool = True
) -> Row:
    """The median of round-by-round ratios; what disturbed a round disturbed both of its sides."""
    found = sorted(a / b for a, b in zip(over, under, strict=True))
    width = f"{found[0]:.2f} to {found[-1]:.2f}" if spread else ""
    return Row(section, name, round(statistics.median(found), 3), "x", aim, width)


def text(rows: Sequence[Row]) -> str:
    """A table, a section after another."""
    widths = [max(len(r.name) for r in rows), max(len(f"{r.value:g} {r.unit}") for r in rows)]
    lines = []
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += ["", section]
        aim = f"   aim {row.aim}" if row.aim else ""
        spread = f"   ({row.spread})" if row.spread else ""
        figure = f"{row.value:g} {row.unit}"
        lines.append(f"  {row.name:<{widths[0]}}  {figure:>{widths[1]}}{aim}{spread}")
    return "\n".join(lines).lstrip("\n")


def dump(rows: Sequence[Row]) -> str:
    return json.dumps([asdict(row) for row in rows], indent=2)
