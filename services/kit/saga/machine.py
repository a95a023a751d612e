"""The rule of a saga, pure: which step comes next, given what became of the one before.

Input: a state and what became of its step. Output: the next state, which store keeps before runner carries it out.

1. Steps are done in order: FORWARD 0, 1, 2, then DONE.
2. A step that was refused did nothing: undoing starts with the step before it.
3. A step whose outcome is unknown may have been done, or may yet be: undoing starts with the step itself. So every step
   can be undone although it was never done, and can be undone twice.
4. Steps are undone in reverse order: UNDO 1, 0, then UNDONE. An undo that fails is tried again, for ever: there is no
   other way to keep the promise.
5. A state that was kept before a crash is carried out again. So every step can be done twice.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """DONE and UNDONE are the ends."""

    FORWARD = "forward"
    UNDO = "undo"
    DONE = "done"
    UNDONE = "undone"


class Outcome(StrEnum):
    """What became of a step, or of undoing it."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class State:
    """`step` counts from 0; at the ends it means nothing and is 0."""

    phase: Phase = Phase.FORWARD
    step: int = 0

    @property
    def finished(self) -> bool:
        return self.phase in (Phase.DONE, Phase.UNDONE)


TRANSITIONS: dict[tuple[Phase, Outcome], tuple[Phase, int]] = {
    # from, what became of it          to, how many steps on
    (Phase.FORWARD, Outcome.SUCCEEDED): (Phase.FORWARD, +1),
    (Phase.FORWARD, Outcome.REFUSED): (Phase.UNDO, -1),
    (Phase.FORWARD, Outcome.UNKNOWN): (Phase.UNDO, 0),
    (Phase.UNDO, Outcome.SUCCEEDED): (Phase.UNDO, -1),
    (Phase.UNDO, Outcome.REFUSED): (Phase.UNDO, 0),
    (Phase.UNDO, Outcome.UNKNOWN): (Phase.UNDO, 0),
}


def after(state: State, outcome: Outcome, steps: int) -> State:
    """The state that follows, in a saga of so many steps. Raises KeyError from an end: nothing follows it."""
    phase, move = TRANSITIONS[state.phase, outcome]
    step = state.step + move
    if phase is Phase.FORWARD and step == steps:
        return State(Phase.DONE)
    if phase is Phase.UNDO and step < 0:
        return State(Phase.UNDONE)
    return State(phase, step)
