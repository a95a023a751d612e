"""What an action does to a reservation and to the stock, for every state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.inventory.reservation import Action, Effect, Line, State, reserved, step
from services.kit.errors import Refused

NOW = datetime(2025, 3, 1, tzinfo=UTC)
HELD = reserved("r", (Line("mug", 2),), timedelta(minutes=1), NOW)


@pytest.mark.parametrize(
    ("state", "action", "effect"),
    [
        (State.RESERVED, Action.CONFIRM, Effect(State.CONFIRMED, on_hand=-1, reserved=-1)),
        (State.RESERVED, Action.RELEASE, Effect(State.RELEASED, reserved=-1)),
        (State.RESERVED, Action.EXPIRE, Effect(State.EXPIRED, reserved=-1)),
        (State.CONFIRMED, Action.CONFIRM, Effect(State.CONFIRMED)),
        (State.CONFIRMED, Action.RELEASE, Effect(State.RELEASED, on_hand=+1)),
        (State.CONFIRMED, Action.EXPIRE, Effect(State.CONFIRMED)),
        (State.RELEASED, Action.CONFIRM, None),
        (State.RELEASED, Action.RELEASE, Effect(State.RELEASED)),
        (State.RELEASED, Action.EXPIRE, Effect(State.RELEASED)),
        (State.EXPIRED, Action.CONFIRM, None),
        (State.EXPIRED, Action.RELEASE, Effect(State.EXPIRED)),
        (State.EXPIRED, Action.EXPIRE, Effect(State.EXPIRED)),
    ],
)
def test_each_state_and_action(state: State, action: Action, effect: Effect | None) -> None:
    before = replace(HELD, state=state)
    if effect is None:
        with pytest.raises(Refused, match=f"is {state.lower()}"):
            step(before, action, NOW)
    else:
        assert step(before, action, NOW) == (replace(before, state=effect.state), effect)


def test_one_whose_time_is_up_is_not_confirmed_although_nobody_has_swept_it_up() -> None:
    with pytest.raises(Refused, match="is expired"):
        step(HELD, Action.CONFIRM, NOW + timedelta(minutes=1))
    assert step(HELD, Action.CONFIRM, NOW + timedelta(seconds=59))[0].state is State.CONFIRMED


def test_nothing_is_held_longer_than_an_hour() -> None:
    assert reserved("r", (), timedelta(days=1), NOW).expires == NOW + timedelta(hours=1)
    assert reserved("r", (), timedelta(0), NOW).expires == NOW + timedelta(minutes=5)
