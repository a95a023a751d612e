"""Whatever is published, answered, refused and interrupted: a proxy ends with the last state.

The same conversations every time. `MESH_EXPLORE=5000 pytest FILE` holds that many new ones instead.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mesh.xds.desired import Desired
from tests.pure.xds.proxy import TYPES, Proxy
from tests.pure.xds.states import State, desired, spoilt, states


class Conversation(RuleBasedStateMachine):
    """A server, a proxy, and every interleaving of what they do."""

    @initialize(delta=st.booleans(), partial=st.booleans())
    def begin(self, delta: bool, partial: bool) -> None:
        self.proxy = Proxy(delta, partial)
        self.state: State | None = None
        self.lost_memory = False
        self.proxy.connect(None)

    @rule(state=states())
    def publish(self, state: State) -> None:
        self.state = state
        self.proxy.publish(self._desired())

    @rule(state=states(), type_url=st.sampled_from(TYPES))
    def publish_spoilt(self, state: State, type_url: str) -> None:
        self.publish(spoilt(state, type_url))

    @precondition(lambda self: self.proxy.inbox)
    @rule()
    def process(self) -> None:
        self.proxy.process()

    @precondition(lambda self: self.proxy.outbox)
    @rule()
    def hear(self) -> None:
        self.proxy.hear()

    @rule()
    def settle(self) -> None:
        self.proxy.settle()
        if self.state is not None:
            assert self.proxy.stream.accepted == (not self.proxy.stream.rejected)

    @rule()
    def reconnect(self) -> None:
        # In the state of the world a server does not learn what a proxy that reconnects holds, so it
        # cannot keep the clusters that are gone until the routes have followed.
        self.lost_memory = not self.proxy.delta
        self.proxy.connect(self._desired())

    @rule(state=states())
    def repair(self, state: State) -> None:
        self.publish(state)
        self.proxy.settle()
        assert self.proxy.stream.accepted
        self.lost_memory = False

    @invariant()
    def accepted_means_held(self) -> None:
        if self.proxy.stream.accepted:
            assert self.proxy.held == self.state
            assert not self.proxy.warming

    @invariant()
    def no_route_is_ahead_of_its_clusters(self) -> None:
        if not self.lost_memory:
            assert not self.proxy.gaps()

    def _desired(self) -> Desired | None:
        return None if self.state is None else desired(self.state)


EXPLORE = int(os.environ.get("MESH_EXPLORE", "0"))

TestConversation = Conversation.TestCase
TestConversation.settings = settings(
    max_examples=EXPLORE or 60, stateful_step_count=30, deadline=None, derandomize=not EXPLORE
)
# An interruption while Hypothesis looks for the shortest failing conversation would be reported as a flaky rule.
pytestmark = pytest.mark.timeout(600)
