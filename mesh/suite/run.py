"""Cases asked and compared: Suites and whoever answers -> Outcomes, for the reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mesh.explain.answer import Answer
from mesh.explain.nearest import Unknown
from mesh.explain.question import Question
from mesh.explain.scene import Unanswered
from mesh.resources.problem import Place, Problem, Severity
from mesh.simulate.text import Unsimulated
from mesh.suite.case import Case, Expected
from mesh.suite.compare import Difference, differences
from mesh.suite.read import Read, expand

#: Answers a Question. Raises Unknown for a name that is not there.
Ask = Callable[[Question], Answer]


@dataclass(frozen=True)
class Outcome:
    """What became of one request of a case. ``answer`` is None when a name in it is unknown; the Problem says which."""

    name: str
    place: Place
    seconds: float
    answer: Answer | None = None
    differences: tuple[Difference, ...] = ()
    problem: Problem | None = None

    @property
    def passed(self) -> bool:
        return self.answer is not None and not self.differences


def run(files: Iterable[Read], ask: Ask, only: str = "", home: str = "") -> Iterator[Outcome]:
    """Every request of every case with ``only`` in its name, in the order of the files; ``home`` is the namespace that a workload's name means
    where several have one of that name."""
    for each in files:
        for i, case in enumerate(each.suite.cases):
            place = each.document.place(("cases", i))
            asked = (one for one in expand(case) if only in _name(one))
            yield from (_asked(one, place, ask, home) for one in asked)


def _asked(case: Case, place: Place, ask: Ask, home: str) -> Outcome:
    started = time.perf_counter()
    try:
        answer = ask(_question(case, home))
    except Unknown as error:
        fix = "correct the name, or the chart that no longer has it"
        problem = Problem(place, "MW0601", Severity.ERROR, str(error), fix)
        return Outcome(_name(case), place, time.perf_counter() - started, problem=problem)
    except (Unsimulated, Unanswered) as error:
        problem = Problem(
            place, "MW0602", Severity.ERROR, str(error), "ask again, or ask a mesh that runs with --live"
        )
        return Outcome(_name(case), place, time.perf_counter() - started, problem=problem)
    found = [Difference("what runs", "what is written", each) for each in answer.differs]
    found += differences(case.expect or Expected(), answer)
    return Outcome(_name(case), place, time.perf_counter() - started, answer, tuple(found))


def _question(case: Case, home: str) -> Question:
    (source,), (to,) = case.from_, case.to
    headers = {name.lower(): value for name, value in case.headers.items()}
    return Question(
        source,
        to,
        "".join(case.method),
        "".join(case.path),
        case.verb.upper(),
        headers,
        case.claims,
        home,
    )


def _name(case: Case) -> str:
    """What is asked, after the case's own name if it has one."""
    (source,), (to,) = case.from_, case.to
    what = "".join(case.method) or (f"{case.verb} {case.path[0]}" if case.path else "")
    asked = f"{source} -> {to} {what}".rstrip()
    return f"{case.name}: {asked}" if case.name else asked
