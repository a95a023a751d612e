"""A run for programs: JUnit's XML, and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from mesh.suite.coverage import Covered
from mesh.suite.report import failure
from mesh.suite.run import Outcome


def junit(outcomes: Sequence[Outcome]) -> str:
    """A suite for each file, with the file and line of each case."""
    root = ElementTree.Element("testsuites", {"name": "mesh test", **_counts(outcomes)})
    for file, group in groupby(outcomes, key=lambda each: each.place.file):
        mine = list(group)
        suite = ElementTree.SubElement(root, "testsuite", {"name": file, **_counts(mine)})
        for each in mine:
            _case(suite, each)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(bool(each.differences) for each in outcomes)),
        "errors": str(sum(each.problem is not None for each in outcomes)),
        "time": f"{sum(each.seconds for each in outcomes):.6f}",
    }


def _case(suite: ElementTree.Element, outcome: Outcome) -> None:
    made = ElementTree.SubElement(
        suite,
        "testcase",
        name=outcome.name,
        classname=outcome.place.file,
        file=outcome.place.file,
        line=str(outcome.place.line),
        time=f"{outcome.seconds:.6f}",
    )
    if outcome.passed:
        return
    said = outcome.problem.message if outcome.problem else _differences(outcome)
    kind = "error" if outcome.problem else "failure"
    ElementTree.SubElement(made, kind, message=said).text = "\n".join(failure(outcome))


def _differences(outcome: Outcome) -> str:
    return "; ".join(
        f"{each.field}: expected {each.expected}, got {each.got}" for each in outcome.differences
    )


def plain(outcomes: Iterable[Outcome], covered: Iterable[Covered]) -> dict[str, Any]:
    """For ``-o json``."""
    return {
        "cases": [_plain(each) for each in outcomes],
        "coverage": {
            each.kind: {"total": each.total, "untouched": [asdict(source) for source in each.untouched]}
            for each in covered
        },
    }


def _plain(outcome: Outcome) -> dict[str, Any]:
    problem = outcome.problem
    return {
        "name": outcome.name,
        "file": outcome.place.file,
        "line": outcome.place.line,
        "passed": outcome.passed,
        "seconds": outcome.seconds,
        "differences": [asdict(each) for each in outcome.differences],
        "problem": f"{problem.code} {problem.message}" if problem else None,
        "answer": asdict(outcome.answer) if outcome.answer else None,
    }
