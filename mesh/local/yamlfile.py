"""A YAML file of the user's -> its documents. Whatever keeps it from being read is a Problem; ``config`` and ``render`` read by it."""

from __future__ import annotations

from pathlib import Path

from mesh.resources.problem import Place, Problem, Severity
from mesh.resources.tree import Document, documents


def read(path: Path, shown: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a file that Problems call ``shown``."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return [], [_unreadable(shown, f"this cannot be read: {error.strerror}", "see that it is there")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [], [_unreadable(shown, "this is not UTF-8 text", "save it as UTF-8", line)]
    return documents(text, shown)


def mapping(path: Path, shown: str) -> tuple[Document | None, list[Problem]]:
    """The one mapping that a file is to hold; None, and no Problem, when it is empty."""
    found, problems = read(path, shown)
    if problems or not found:
        return None, problems
    if len(found) > 1 or not isinstance(found[0].data, dict):
        what = "is several documents" if len(found) > 1 else "is no mapping"
        return None, [_unreadable(shown, f"this {what}", "write key: value", found[-1].place().line)]
    return found[0], []


def _unreadable(shown: str, text: str, fix: str, line: int = 0) -> Problem:
    return Problem(Place(shown, line), "MW0001", Severity.ERROR, text, fix)
