"""The rules of the stream where something comes in between: a rejection, a newer state, a new connection."""

from __future__ import annotations

from dataclasses import replace

from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE
from mesh.xds.stream import Stream
from mesh.xds.topic import Request, Update
from tests.pure.xds.states import Item, State, desired, item
from tests.pure.xds.test_stream import accept, connect, lines, state

A, AB = state({"a": "0"}, "a"), state({"a": "0", "b": "0"}, "b")


def contents(update: Update) -> dict[str, str]:
    """What an update says of each resource."""
    return {name: item(resource.any.value)[1].content for name, resource in update.changed.items()}


def test_routes_wait_until_the_endpoints_of_a_new_cluster_were_asked_for() -> None:
    stream, _ = connect(desired(A))
    (cluster,) = stream.publish(desired(AB))
    assert stream.receive(Request(CLUSTER, nonce=cluster.nonce)) == []
    (endpoints,) = stream.receive(Request(ENDPOINT, frozenset({"b"})))
    assert lines(stream.receive(Request(ENDPOINT, nonce=endpoints.nonce))) == [(ROUTE, ["80"], [])]


def test_a_cluster_stays_while_the_routes_that_leave_it_are_rejected() -> None:
    stream, _ = connect(desired(AB))
    (route,) = stream.publish(desired(A))
    assert route.type_url == ROUTE
    assert stream.receive(Request(ROUTE, nonce=route.nonce, error="no")) == []


def test_a_listener_whose_removal_was_rejected_is_removed_with_the_next_state() -> None:
    stream, _ = connect(desired(A))
    without: State = {**A, LISTENER: {}, ROUTE: {}}
    (gone,) = stream.publish(desired(without))
    assert lines([gone]) == [(LISTENER, [], ["out"])]
    stream.receive(Request(LISTENER, nonce=gone.nonce, error="no"))
    sent = accept(stream, stream.publish(desired({**without, ENDPOINT: {"a": Item("1")}})))
    assert sent == [(ENDPOINT, ["a"], []), (LISTENER, [], ["out"])]


def test_a_changed_cluster_that_nobody_wants_any_more_keeps_its_endpoints() -> None:
    stream, _ = connect(desired(AB))
    (moved,) = stream.publish(desired({**AB, ENDPOINT: {"a": Item("1"), "b": Item("0")}}))
    (cluster,) = stream.publish(desired(state({"a": "0", "b": "1"}, "b")))
    assert lines([cluster]) == [(CLUSTER, ["b"], [])]
    assert stream.publish(desired(A)) == []
    (endpoints,) = stream.receive(Request(ENDPOINT, nonce=moved.nonce))
    assert contents(endpoints) == {"a": "0", "b": "0"}


def test_a_proxy_that_reconnects_while_a_cluster_is_warming_is_not_left_waiting() -> None:
    # It says nothing about clusters until it has endpoints, and the cluster is not wanted any more.
    stream = Stream()
    stream.publish(desired(A))
    (endpoints,) = stream.receive(Request(ENDPOINT, frozenset({"b"}), known={"b": "0"}))
    assert lines([endpoints]) == [(ENDPOINT, ["b"], [])]
    assert stream.receive(Request(ENDPOINT, nonce=endpoints.nonce)) == []


def test_a_cluster_that_changed_since_the_last_stream_gets_endpoints_though_it_is_no_longer_wanted() -> None:
    stream = Stream()
    stream.publish(desired(state({"b": "1"}, "b")))
    known = {name: resource.version for name, resource in desired(AB).of(CLUSTER).items()}
    (cluster,) = stream.receive(Request(CLUSTER, known=known))
    stream.publish(desired(A))
    (endpoints,) = stream.receive(Request(ENDPOINT, frozenset({"b"}), known={"b": "0"}))
    assert lines([cluster, endpoints]) == [(CLUSTER, ["b"], []), (ENDPOINT, ["b"], [])]


def test_in_the_state_of_the_world_a_rejected_change_leaves_what_was_there() -> None:
    # All clusters are in each message, and the routes still use `b` as it was.
    stream, _ = connect(desired(AB))
    (bad, _) = stream.publish(desired(state({"a": "0", "b": "bad"}, "b")))
    stream.receive(Request(CLUSTER, nonce=bad.nonce, error="no"))
    (next_, *_) = stream.publish(desired(state({"a": "1"}, "a")))
    assert {n: item(r.any.value)[1].content for n, r in next_.whole.items()} == {"a": "1", "b": "0"}


def test_in_the_state_of_the_world_a_cluster_that_is_put_back_as_it_was_gets_its_endpoints_again() -> None:
    # Of the rejected message the proxy may have taken `b`: as it was is then a change, and it warms again.
    stream, _ = connect(desired(AB))
    (bad, both) = stream.publish(desired(state({"a": "bad", "b": "1"}, "b")))
    stream.receive(Request(ENDPOINT, frozenset({"a", "b"}), exact=True, nonce=both.nonce))
    assert stream.publish(desired(state({"a": "0"}, "a"))) == []
    back, endpoints = stream.receive(Request(CLUSTER, nonce=bad.nonce, error="no"))
    assert contents(back) == {"a": "0"}
    assert contents(endpoints) == {"a": "0", "b": "0"}


def test_in_the_state_of_the_world_an_overtaken_request_changes_nothing() -> None:
    goal = desired(AB)
    stream, _ = connect(goal)
    moved = desired({**AB, ENDPOINT: {"a": Item("1"), "b": Item("1")}})
    (endpoints,) = stream.publish(moved)
    stale = Request(ENDPOINT, frozenset({"a"}), exact=True, nonce="1")
    assert stream.receive(stale) == []
    stream.receive(replace(stale, subscribe=frozenset({"a", "b"}), nonce=endpoints.nonce))
    assert stream.accepted


def test_clusters_that_come_back_while_they_are_being_removed_are_there_again() -> None:
    stream, _ = connect(desired(AB))
    (route,) = stream.publish(desired(A))
    (removal,) = stream.receive(Request(ROUTE, nonce=route.nonce))
    assert stream.publish(desired(AB)) == []
    sent = accept(stream, [removal])
    assert sent[:2] == [(CLUSTER, [], ["b"]), (CLUSTER, ["b"], [])]
    assert stream.accepted


def test_former_endpoints_that_are_rejected_are_not_held_against_the_new_state() -> None:
    stream, _ = connect(desired(A))
    stream.publish(desired({**AB, ENDPOINT: {"a": Item("0"), "b": Item("bad")}}))
    stream.publish(desired(A))
    (former,) = stream.receive(Request(ENDPOINT, frozenset({"b"})))
    (none,) = stream.receive(Request(ENDPOINT, nonce=former.nonce, error="no"))
    assert contents(former) == {"b": "bad"}
    assert contents(none) == {"b": "stand-in"}
    assert stream.rejected is None
