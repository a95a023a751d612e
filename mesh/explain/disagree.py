"""Where two Answers to one question disagree: what a proxy does and what the objects, or the files, say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from mesh.explain import words
from mesh.explain.answer import Answer, Verdict

#: Said of the way to an answer rather than of the answer.
_ASIDE: Final = frozenset({"note", "nearly", "unknown"})
_VERDICT: Final = ("verdict", "why")


@dataclass(frozen=True)
class Disagreement:
    """``who`` says ``theirs`` of ``what``, and the proxies do ``ours``; empty where one says nothing of it."""

    who: str
    what: str
    theirs: str
    ours: str

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.who} say {self.theirs or 'nothing'}; the proxies do {self.ours or 'nothing'}"
        )


def disagreements(ours: Answer, theirs: Answer, who: str, counted: bool = True) -> Iterator[Disagreement]:
    """In the order of `mesh explain`'s lines. ``counted``: how many endpoints there are is compared, too.

    Of two verdicts the rest need not be compared.
    """
    mine, other = _facts(ours, counted), _facts(theirs, counted)
    known = _VERDICT if ours.verdict != theirs.verdict else dict.fromkeys((*mine, *other))
    for what in known:
        if mine.get(what) != other.get(what):
            yield Disagreement(who, what, other.get(what, ""), mine.get(what, ""))


def _facts(answer: Answer, counted: bool) -> dict[str, str]:
    """The lines of an answer by their label."""
    if not counted:
        alike = tuple(replace(each, endpoints=1) for each in answer.destinations)
        answer = replace(answer, destinations=alike)
    if answer.verdict is Verdict.UNREACHABLE:
        answer = replace(answer, status=0)  # on one machine there is no listener that could answer
    found: dict[str, list[str]] = {"verdict": [answer.verdict]}
    label = ""
    for line in words.lines(answer):
        label = line.label or label
        if label not in _ASIDE and not line.text.startswith(words.PASSED_OVER):
            found.setdefault(label, []).append(" ".join(line.text.split()))
    return {name: ", ".join(texts) for name, texts in found.items()}
