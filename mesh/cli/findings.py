"""Problems as programs want them: JSON, SARIF 2.1.0 for code scanning, and GitHub's workflow commands. Used by `mesh check`.

In what a chart rendered to, a line is the rendered template's; the file on disk has another. Such places keep the file and lose the line, which
the message then says. Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/, https://docs.github.com/actions/reference/workflow-commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from mesh.link.codes import CODES
from mesh.resources.problem import Place, Problem

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PAGE: Final = "docs/problems.md"


@dataclass(frozen=True)
class Written:
    """Where something is on disk; ``line`` is 0 where that cannot be said."""

    file: str
    line: int


#: Where a Problem's place is on disk.
Find = Callable[[Place], Written]


def on_disk(chart: Path | None) -> Find:
    """Helm names a template by the chart's name; here it is a file of the chart's folder."""

    def find(place: Place) -> Written:
        if chart is None or Path(place.file).is_file():
            return Written(place.file, place.line)
        inside = chart / place.file.partition("/")[2]
        return Written(str(inside), 0) if inside.is_file() else Written(place.file, 0)

    return find


def plain(problem: Problem) -> dict[str, object]:
    """For ``-o json``."""
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "path": place.path,
        "code": problem.code,
        "severity": str(problem.severity),
        "message": problem.message,
        "fix": problem.fix,
    }


def github(problems: Iterable[Problem], find: Find) -> Iterable[str]:
    """A workflow command a finding, which GitHub shows beside the line."""
    for each in problems:
        where = find(each.place)
        line = f",line={where.line}" if where.line else ""
        title = _property(f"{each.code} {_TITLES.get(each.code, '')}".strip())
        place = f"file={_property(where.file)}{line}"
        yield f"::{each.severity} {place},title={title}::{_data(_text(each, where))}"


def sarif(problems: Sequence[Problem], find: Find) -> dict[str, Any]:
    """A log with one run, whose rules are the codes that it has findings of."""
    found = sorted({each.code for each in problems})
    driver = {"name": "meshwright", "rules": [_rule(code) for code in found]}
    results = [_result(each, found.index(each.code), find(each.place)) for each in problems]
    run = {"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    known = next(each for each in CODES if each.code == code)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in known.title.split()),
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.explanation},
        "help": {"text": f"{known.explanation} See {_PAGE}."},
        "defaultConfiguration": {"level": str(known.severity)},
    }


def _result(problem: Problem, index: int, where: Written) -> dict[str, Any]:
    path = Path(where.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    place: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if where.line:
        place["region"] = {"startLine": where.line}
    return {
        "ruleId": problem.code,
        "ruleIndex": index,
        "level": str(problem.severity),
        "message": {"text": _text(problem, where)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"place/v1": f"{problem.code} {problem.place.file} {problem.place.path}"},
    }


def _text(problem: Problem, where: Written) -> str:
    rendered = f" (rendered line {problem.place.line})" if problem.place.line and not where.line else ""
    fix = f": {problem.fix}" if problem.fix else ""
    return f"{problem.message}{rendered}{fix}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_TITLES: Final = {each.code: each.title for each in CODES}
