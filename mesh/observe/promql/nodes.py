"""A question in PromQL, once it is parsed: plain values that cannot be wrong. Made by parse, read by all others here.

Times and lengths are whole milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mesh.observe.metrics.series import Labels

Card = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]
At = int | Literal["start", "end"] | None
"""What ``@`` says: a time, or the start or end of what is asked."""


class BadQuery(Exception):
    """It is no PromQL, or uses what is not answered here."""


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Text:
    value: str


@dataclass(frozen=True)
class Matcher:
    """``fits`` is told the label's value, "" where there is none."""

    label: str
    fits: Callable[[str], bool]
    equals: str | None = None


@dataclass(frozen=True)
class Selector:
    """``name`` of the metric, None for any that the matchers allow."""

    name: str | None
    matchers: tuple[Matcher, ...]
    offset: int = 0
    at: At = None

    def wants(self, labels: Labels) -> bool:
        return all(matcher.fits(labels.get(matcher.label, "")) for matcher in self.matchers)


@dataclass(frozen=True)
class Range:
    of: Selector
    length: int


@dataclass(frozen=True)
class Subquery:
    """``step`` None is that of Prometheus' global.evaluation_interval."""

    of: Node
    length: int
    step: int | None
    offset: int = 0
    at: At = None


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Negative:
    of: Node


@dataclass(frozen=True)
class Grouping:
    """By those labels, or by all but those."""

    labels: frozenset[str]
    by: bool


@dataclass(frozen=True)
class Aggregate:
    op: str
    of: Node
    parameter: Node | None
    grouping: Grouping


@dataclass(frozen=True)
class Matching:
    """``by.by`` for ``on``; ``include`` what ``group_left`` and ``group_right`` name."""

    card: Card
    by: Grouping
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    """``matching`` matters where both sides are vectors; ``bool`` of comparisons."""

    op: str
    left: Node
    right: Node
    matching: Matching
    bool: bool = False


Node = Number | Text | Selector | Range | Subquery | Call | Negative | Aggregate | Binary
