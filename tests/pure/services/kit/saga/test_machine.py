"""The rule of a saga, for sagas of any length and any luck."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.saga.machine import Outcome, Phase, Plan, State, after

S, R, U = Outcome.SUCCEEDED, Outcome.REFUSED, Outcome.UNKNOWN


def phases(outcomes: list[Outcome], steps: int = 3) -> list[State]:
    """The states a saga goes through."""
    states = [State()]
    for outcome in outcomes:
        states.append(after(states[-1], outcome, Plan(steps, steps)))
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


LUCK = st.lists(st.tuples(st.none() | st.sampled_from(Outcome), st.booleans()), max_size=60)


@given(st.integers(1, 8), st.integers(0, 8), LUCK)
def test_every_saga_is_done_wholly_or_undone_wholly(
    steps: int, final: int, luck: list[tuple[Outcome | None, bool]]
) -> None:
    """No outcome: the process died at work."""
    plan = Plan(steps, min(final, steps))
    state, maybe_done, tried = State(), set[int](), False
    for outcome, again in [*luck, *[(S, False)] * (2 * steps)]:
        if state.finished:
            break
        if state.phase is Phase.FORWARD and outcome is not R:
            maybe_done.add(state.step)
        if state.phase is Phase.UNDO and outcome is S:
            maybe_done.discard(state.step)
        before = state
        state = after(state, outcome, plan, tried=tried, again=again) if outcome else state
        tried = state == before
        if state.phase in (Phase.UNDO, Phase.UNDONE):
            assert plan.final not in maybe_done, "no way leads back from there"
    assert state.finished
    assert maybe_done == (set(range(steps)) if state.phase is Phase.DONE else set())


@pytest.mark.parametrize("end", [Phase.DONE, Phase.UNDONE])
def test_nothing_follows_an_end(end: Phase) -> None:
    with pytest.raises(KeyError):
        after(State(end), S, Plan(3, 3))


@pytest.mark.parametrize(
    ("step", "outcome", "again", "then"),
    [
        (0, U, True, State()),
        (0, U, False, State(Phase.UNDO, 0)),
        (1, R, True, State(Phase.UNDO, 0)),
        (1, U, False, State(step=1)),
        (2, U, False, State(step=2)),
        (2, R, False, State(step=2)),
        (2, S, False, State(Phase.DONE)),
    ],
)
def test_from_the_final_step_on_a_saga_only_goes_forward(
    step: int, outcome: Outcome, again: bool, then: State
) -> None:
    assert after(State(step=step), outcome, Plan(3, final=1), again=again) == then
