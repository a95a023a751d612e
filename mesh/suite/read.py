"""Test files -> Suites. What is wrong with one is a Problem with its line, and the file is then not run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mesh.local import yamlfile
from mesh.resources.decode import Decoder
from mesh.resources.problem import Problem, Severity
from mesh.resources.tree import Document
from mesh.suite.case import Case, Expected, Suite
from mesh.suite.share import percent

#: Fields that take one value or a list of them.
_ONE_OR_MANY: Final = ("from", "to", "method", "path")
_CODE: Final = "MW0601"


@dataclass(frozen=True)
class Read:
    """A file that was understood. ``shown`` is its name as reports give it."""

    shown: str
    suite: Suite
    document: Document


def beside(chart: Path) -> list[Path]:
    """The test files of a chart and of the charts in it: ``tests/*.yaml``, Helm's own test hooks in templates left out."""
    found = (path for path in inside(chart) if path.parent.name == "tests")
    return [path for path in found if "templates" not in path.relative_to(chart).parts]


def inside(folder: Path) -> list[Path]:
    """Every YAML file of a folder and those in it."""
    return sorted(path for path in folder.rglob("*.y*ml") if path.suffix in (".yaml", ".yml"))


def read(path: Path, shown: str, found_in_folder: bool = False) -> tuple[Read | None, list[Problem]]:
    """One file. Another tool's in the same folder, as helm-unittest's, is None and no Problem when nobody named it."""
    document, problems = yamlfile.mapping(path, shown)
    if document is None:
        return None, problems
    if found_in_folder and "cases" not in document.data and "tests" in document.data:
        return None, []
    plain = {**document.data, "cases": _plain(document.data.get("cases"))}
    suite = Decoder(document, problems).decode(Suite, plain, ())
    misread = {problem.place.line for problem in problems}
    problems += (p for p in _wrong(document, suite) if p.place.line not in misread)
    return (None if problems else Read(shown, suite, document)), problems


def _plain(cases: Any) -> Any:
    """Shorthands in full: one value for a list of one, a verdict for all that is expected."""
    if not isinstance(cases, list):
        return cases
    return [_case(each) if isinstance(each, Mapping) else each for each in cases]


def _case(given: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(given)
    for name in _ONE_OR_MANY:
        if name in made and not isinstance(made[name], list):
            made[name] = [made[name]]
    if isinstance(made.get("expect"), str):
        made["expect"] = {"verdict": made["expect"]}
    return made


def _wrong(document: Document, suite: Suite) -> Iterator[Problem]:
    def problem(path: tuple[str | int, ...], text: str, fix: str) -> Problem:
        return Problem(document.place(path), _CODE, Severity.ERROR, text, fix)

    if not suite.cases:
        yield problem(
            ("cases",), "this file has no cases", "give cases: [{from: ..., to: ..., expect: allowed}]"
        )
    for i, case in enumerate(suite.cases):
        at = ("cases", i)
        for name, value in (("from", case.from_), ("to", case.to)):
            if not value:
                yield problem(
                    at, f"this case does not say {name}", f"give {name}: a name, or a list of names"
                )
        if case.expect is None:
            yield problem(
                at, "this case expects nothing", "give expect: allowed, refused, unreachable or more"
            )
        if case.method and case.path:
            yield problem(
                (*at, "path"),
                "this case has a method and a path",
                "give method for gRPC, path for plain HTTP",
            )
        yield from _wrong_shares(document, at, case.expect or Expected())


def _wrong_shares(document: Document, at: tuple[str | int, ...], expected: Expected) -> Iterator[Problem]:
    for field, shares in (("shares", expected.shares), ("mirrors", expected.mirrors)):
        for name, given in shares.items():
            if percent(given) is None:
                place = document.place((*at, "expect", field, name))
                yield Problem(place, _CODE, Severity.ERROR, f"{given!r} is no share", "write it as 90%")


def expand(case: Case) -> Iterable[Case]:
    """A Case for each combination."""
    for source in case.from_:
        for to in case.to:
            for method in case.method or ("",):
                for path in case.path or ("",):
                    one = tuple(filter(None, (method,))), tuple(filter(None, (path,)))
                    yield replace(case, from_=(source,), to=(to,), method=one[0], path=one[1])
