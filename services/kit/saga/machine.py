"""The rule of a saga, pure: which step comes next, given what became of the one before.

Input: a state and what became of its step. Output: the next state, which store keeps before runner carries it out.

1. Steps are done in order: FORWARD 0, 1, 2, then DONE.
2. A step that was refused the first time it was tried did nothing: undoing starts with the step before it.
3. A step whose outcome is unknown may have been done, or may yet be. As often as it may it is tried again; then undoing starts with
   the step itself, also when a later try is refused. So every step can be undone although it was never done, and can be undone twice.
4. Steps are undone in reverse order: UNDO 1, 0, then UNDONE. An undo that fails is tried again, for ever: there is no
   other way to keep the promise.
5. A saga may have a step from which there is no way back. Once that may have been done every step is tried until it succeeds.
   As long as it was only refused the way back is open.
6. A state that was kept before a crash is carried out again. So every step can be done twice.
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


@dataclass(frozen=True)
class Plan:
    """How many steps, and the one from which there is no way back: as many as there are when there is none."""

    steps: int
    final: int


def after(state: State, outcome: Outcome, plan: Plan, *, tried: bool = False, again: bool = False) -> State:
    """The state that follows. `tried`: the step may have been begun before; `again`: it may be tried again. The same state: this step
    once more. Raises KeyError from an end: nothing follows it."""
    told = _told(outcome, tried) if state.phase is Phase.FORWARD else outcome
    if state.phase is Phase.FORWARD and _stays(state.step, told, plan, again and outcome is told):
        return state
    phase, move = TRANSITIONS[state.phase, told]
    step = state.step + move
    if phase is Phase.FORWARD and step == plan.steps:
        return State(Phase.DONE)
    if phase is Phase.UNDO and step < 0:
        return State(Phase.UNDONE)
    return State(phase, step)


def _told(outcome: Outcome, tried: bool) -> Outcome:
    """A refusal says nothing of an earlier try."""
    return Outcome.UNKNOWN if outcome is Outcome.REFUSED and tried else outcome


def _stays(step: int, outcome: Outcome, plan: Plan, again: bool) -> bool:
    if outcome is Outcome.UNKNOWN:
        return again or step >= plan.final
    return outcome is Outcome.REFUSED and step > plan.final
