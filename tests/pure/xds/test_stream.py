"""The rules of the stream, one by one, as a proxy would see them in delta."""

from __future__ import annotations

from collections.abc import Mapping

from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE
from mesh.xds.desired import Desired
from mesh.xds.stream import Stream
from mesh.xds.topic import Request, Update
from tests.pure.xds.states import Item, State, desired

Line = tuple[str, list[str], list[str]]


def state(clusters: Mapping[str, str], target: str, *, route: str = "0") -> State:
    """Clusters by name with their content, and one listener whose route goes to ``target``."""
    return {
        CLUSTER: {name: Item(content, frozenset({name})) for name, content in clusters.items()},
        ENDPOINT: {name: Item("0") for name in clusters},
        LISTENER: {"out": Item("0", frozenset({"80"}))},
        ROUTE: {"80": Item(route, frozenset({target}))},
    }


def lines(updates: list[Update]) -> list[Line]:
    return [(u.type_url, sorted(u.changed), sorted(u.removed)) for u in updates]


def connect(goal: Desired, known: Mapping[str, Mapping[str, str]] | None = None) -> tuple[Stream, list[Line]]:
    """A stream that is brought to a state by a proxy that accepts everything; what was sent on the way."""
    stream, sent = Stream(), []
    todo = stream.publish(goal)
    names = {ENDPOINT: goal.needed(CLUSTER), ROUTE: goal.needed(LISTENER)}
    for type_url in (CLUSTER, ENDPOINT, LISTENER, ROUTE):
        held = (known or {}).get(type_url, {})
        todo += stream.receive(Request(type_url, names.get(type_url, frozenset()), known=held))
    sent += accept(stream, todo)
    assert stream.accepted
    return stream, sent


def accept(stream: Stream, updates: list[Update]) -> list[Line]:
    """Accept updates and what follows from it; all that was sent."""
    todo, sent = list(updates), []
    while todo:
        update = todo.pop(0)
        sent += lines([update])
        todo += stream.receive(Request(update.type_url, nonce=update.nonce))
    return sent


def test_types_come_in_the_order_in_which_they_are_needed() -> None:
    _, sent = connect(desired(state({"a": "0", "b": "0"}, "a")))
    assert sent == [
        (CLUSTER, ["a", "b"], []),
        (ENDPOINT, ["a", "b"], []),
        (LISTENER, ["out"], []),
        (ROUTE, ["80"], []),
    ]


def test_a_proxy_that_reconnects_gets_only_what_differs_and_all_endpoints() -> None:
    old, new = desired(state({"a": "0", "b": "0"}, "a")), desired(state({"a": "0", "b": "1"}, "a"))
    known = {t: {name: r.version for name, r in old.of(t).items()} for t in old.resources}
    _, sent = connect(new, known)
    assert sent == [(CLUSTER, ["b"], []), (ENDPOINT, ["a", "b"], []), (LISTENER, [], [])]


def test_a_cluster_that_is_gone_is_removed_after_the_routes_have_left_it() -> None:
    stream, _ = connect(desired(state({"a": "0", "b": "0"}, "a")))
    updates = stream.publish(desired(state({"b": "0"}, "b")))
    assert accept(stream, updates) == [(ROUTE, ["80"], []), (CLUSTER, [], ["a"])]


def test_a_cluster_that_is_sent_again_gets_its_endpoints_again() -> None:
    stream, _ = connect(desired(state({"a": "0", "b": "0"}, "a")))
    updates = stream.publish(desired(state({"a": "1", "b": "0"}, "a")))
    assert lines(updates) == [(CLUSTER, ["a"], []), (ENDPOINT, ["a"], [])]


def test_the_same_state_again_sends_nothing() -> None:
    goal = desired(state({"a": "0"}, "a"))
    stream, _ = connect(goal)
    assert stream.publish(goal) == []
    assert stream.accepted


def test_a_route_waits_while_clusters_are_rejected() -> None:
    stream, _ = connect(desired(state({"a": "0"}, "a")))
    (cluster,) = stream.publish(desired(state({"a": "0", "b": "0"}, "b")))
    assert stream.receive(Request(CLUSTER, nonce=cluster.nonce, error="no such thing")) == []
    assert stream.rejected == "no such thing"
    assert not stream.accepted


def test_endpoints_still_follow_while_clusters_are_rejected() -> None:
    stream, _ = connect(desired(state({"a": "0"}, "a")))
    both = state({"a": "0", "b": "bad"}, "a")
    (cluster,) = stream.publish(desired(both))
    stream.receive(Request(CLUSTER, nonce=cluster.nonce, error="no"))
    moved = {**both, ENDPOINT: {"a": Item("1"), "b": Item("0")}}
    assert (ENDPOINT, ["a"], []) in lines(stream.publish(desired(moved)))


def test_a_rejected_update_is_not_repeated() -> None:
    stream, _ = connect(desired(state({"a": "0"}, "a")))
    (route,) = stream.publish(desired(state({"a": "0"}, "a", route="1")))
    assert stream.receive(Request(ROUTE, nonce=route.nonce, error="no")) == []
    assert stream.publish(desired(state({"a": "0"}, "a", route="1"))) == []
    assert lines(stream.publish(desired(state({"a": "0"}, "a")))) == [(ROUTE, ["80"], [])]


def test_an_answer_to_something_else_is_no_answer() -> None:
    stream, _ = connect(desired(state({"a": "0"}, "a")))
    (route,) = stream.publish(desired(state({"a": "0"}, "a", route="1")))
    assert stream.receive(Request(ROUTE, nonce="another")) == []
    assert not stream.accepted
    stream.receive(Request(ROUTE, nonce=route.nonce))
    assert stream.accepted


def test_a_state_that_nobody_waits_for_any_more_does_not_block_the_next() -> None:
    # Envoy does not answer for the cluster b before it has endpoints, and those are not in the second state.
    stream, _ = connect(desired(state({"a": "0"}, "a")))
    stream.publish(desired(state({"a": "0", "b": "0"}, "b")))
    assert stream.publish(desired(state({"a": "0"}, "a", route="1"))) == []
    assert lines(stream.receive(Request(ENDPOINT, frozenset({"b"})))) == [(ENDPOINT, ["b"], [])]
