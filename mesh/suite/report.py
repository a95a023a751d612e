"""A run for people: each failure with what decided it, then what no test touched, then the count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mesh.explain import words
from mesh.explain.answer import Answer
from mesh.suite.compare import deciders
from mesh.suite.coverage import Covered
from mesh.suite.run import Outcome


def failure(outcome: Outcome) -> Iterator[str]:
    """What was expected, what came instead, by which line, and what `mesh explain` says of it. Nothing for one that passed."""
    if outcome.passed:
        return
    yield f"FAILED  {outcome.name}  {outcome.place}"
    if outcome.problem:
        yield f"  {outcome.problem.code} {outcome.problem.message} ({outcome.problem.fix})"
    for each in outcome.differences:
        yield f"  {each.field}: expected {each.expected}, got {each.got}"
    if outcome.answer:
        yield from (f"  decided by {each.what}  {each.at}".rstrip() for each in deciders(outcome.answer))
        yield from (f"    {line}" for line in explained(outcome.answer))


def explained(answer: Answer) -> Iterator[str]:
    """What `mesh explain` prints."""
    yield f"{answer.verdict.upper()}  {words.headline(answer)}"
    for line in words.lines(answer):
        yield f"  {line.label:<8}{line.text}  {line.at}".rstrip()


def covered(found: Iterable[Covered], whole: bool) -> Iterator[str]:
    """How much was touched, and with ``whole`` what was not."""
    for each in found:
        yield f"{each.touched} of {each.total} {each.kind} touched"
        if whole:
            yield from (f"  untouched  {source.what}  {source.at}".rstrip() for source in each.untouched)


def summary(outcomes: Sequence[Outcome]) -> str:
    """``41 passed, 1 failed in 38 ms``."""
    failed = sum(not each.passed for each in outcomes)
    took = sum(each.seconds for each in outcomes)
    counts = f"{len(outcomes) - failed} passed" + (f", {failed} failed" if failed else "")
    return f"{counts} in {took * 1000:.0f} ms" if took < 1 else f"{counts} in {took:.1f} s"
