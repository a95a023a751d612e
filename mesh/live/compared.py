"""A question answered by the proxies that run, with every place where that is not what is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mesh.explain.answer import Answer
from mesh.explain.disagree import disagreements
from mesh.explain.judge import answer
from mesh.explain.question import Question, asked
from mesh.live.scene import Live


def compared(question: Question, live: Live, written: Answer | None = None) -> Answer:
    """``written`` is what files say. Raises Unknown and Unanswered."""
    ours = answer(asked(question, live.running), live.running)
    wanted = answer(asked(question, live.wanted), live.wanted)
    return replace(ours, differs=tuple(_differences(live, ours, wanted, written)))


def _differences(live: Live, ours: Answer, wanted: Answer, written: Answer | None) -> Iterator[str]:
    for workload, each in live.unsettled():
        state = (
            f"refuses its {each.kind} {each.name}: {each.why}"
            if each.why
            else f"still warms {each.kind} {each.name}"
        )
        yield f"the proxy of {workload.namespace}/{workload.name} {state}"
    yield from map(str, disagreements(ours, wanted, "the objects"))
    if written is not None:
        yield from map(str, disagreements(ours, written, "the files", counted=False))
