"""Which template wrote a line of rendered charts: Helm says ``# Source: shop/charts/orders/templates/x.yaml`` above each document."""

from __future__ import annotations

import bisect
from typing import Final

from mesh.resources.problem import Place

_MARK: Final = "# Source: "


class Sources:
    """The places of one text. A line below such a comment counts from it: it is the line of what the template rendered to."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        lines = enumerate(text.split("\n"), 1) if _MARK in text else ()
        found = [(n, line.removeprefix(_MARK).strip()) for n, line in lines if line.startswith(_MARK)]
        self._starts = [number for number, _ in found]
        self._names = [name for _, name in found]

    def at(self, line: int) -> tuple[str, int]:
        """(file, how many lines of the text come before its first)."""
        i = bisect.bisect_right(self._starts, line) - 1
        return (self._names[i] or self._file, self._starts[i]) if i >= 0 else (self._file, 0)

    def place(self, line: int) -> Place:
        """The place of a line of the whole text."""
        name, offset = self.at(line)
        return Place(name, max(0, line - offset))
