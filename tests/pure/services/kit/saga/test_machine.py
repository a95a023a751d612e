"""The rule of a saga, for sagas of any length and any luck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.saga.machine import Outcome, Phase, State, after

S, R, U = Outcome.SUCCEEDED, Outcome.REFUSED, Outcome.UNKNOWN


def phases(outcomes: list[Outcome], steps: int = 3) -> list[State]:
    """The states a saga goes through."""
    states = [State()]
    for outcome in outcomes:
        states.append(after(states[-1], outcome, steps))
    return states


@pytest.mark.parametrize(
    ("outcomes", "undone"),
    [
        ([S, S, S], None),
        ([R], []),
        ([U, S], [0]),
        ([S, R, S], [0]),
        ([S, U, S, S], [1, 0]),
        ([S, S, R, S, S], [1, 0]),
        ([S, S, U, S, S, S], [2, 1, 0]),
        ([S, U, U, R, S, S], [1, 1, 1, 0]),
    ],
)
def test_what_may_have_been_done_is_undone_in_reverse(
    outcomes: list[Outcome], undone: list[int] | None
) -> None:
    states = phases(outcomes)
    assert states[-1].phase is (Phase.DONE if undone is None else Phase.UNDONE)
    assert [state.step for state in states if state.phase is Phase.UNDO] == (undone or [])


@given(st.integers(1, 8), st.lists(st.sampled_from(Outcome), max_size=60))
def test_every_saga_is_done_wholly_or_undone_wholly(steps: int, luck: list[Outcome]) -> None:
    state, maybe_done = State(), set[int]()
    for outcome in luck + [S] * (2 * steps):
        if state.finished:
            break
        if state.phase is Phase.FORWARD and outcome is not R:
            maybe_done.add(state.step)
        if state.phase is Phase.UNDO and outcome is S:
            maybe_done.discard(state.step)
        state = after(state, outcome, steps)
    assert state.finished
    assert maybe_done == (set(range(steps)) if state.phase is Phase.DONE else set())


@pytest.mark.parametrize("end", [Phase.DONE, Phase.UNDONE])
def test_nothing_follows_an_end(end: Phase) -> None:
    with pytest.raises(KeyError):
        after(State(end), S, 3)
