"""What is wrong, where, and what to do: the one shape in which every layer reports a user's mistake.

Made by ``resources`` (while parsing), ``link`` and ``compile``; shown by ``mesh check``, by ``mesh up`` and, as a Kubernetes Status
or a Warning header, by the local Kubernetes API. A user's mistake is never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How a Problem is treated: an ERROR stops `mesh up` and refuses a write, a WARNING is shown and carried on with."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Place:
    """Where something was written. ``file`` is a path, or ``Kind namespace/name`` for an object that came over the API.

    ``line`` counts from 1 and is 0 when the source has no lines; ``path`` is the field, as in ``spec.http[0].timeout``.
    """

    file: str = ""
    line: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, order=True)
class Problem:
    """One finding: a stable code (``MW0101``), the place, what is wrong and what to do about it."""

    place: Place
    code: str
    severity: Severity = field(compare=False)
    message: str
    fix: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.code} {self.severity} {self.message}"
        return f"{text} ({self.fix})" if self.fix else text
