"""Small states to publish: resources whose packed content is readable text, `name content child,child`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from google.protobuf.any_pb2 import Any
from hypothesis import strategies as st

from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource
from mesh.xds.desired import WILDCARD, Desired


@dataclass(frozen=True)
class Item:
    """One resource: its content, and the endpoints, routes or clusters that it uses."""

    content: str
    uses: frozenset[str] = field(default_factory=frozenset)


State = Mapping[str, Mapping[str, Item]]


def item(text: bytes) -> tuple[str, Item]:
    """A packed resource's name and what it says; the server's own stand-ins are real endpoints."""
    if text.startswith(b"\n"):
        return ClusterLoadAssignment.FromString(text).cluster_name, Item("stand-in")
    name, content, uses = text.decode().split(" ")
    return name, Item(content, frozenset(uses.split(",")) - {""})


def desired(state: State) -> Desired:
    """A state as the stream takes it."""
    resources = {
        type_url: {name: _pack(type_url, name, made) for name, made in items.items()}
        for type_url, items in state.items()
    }
    uses = {t: {name: made.uses for name, made in state[t].items()} for t in (CLUSTER, LISTENER)}
    return Desired(repr(state), resources, uses, WILDCARD)


def _pack(type_url: str, name: str, made: Item) -> Resource:
    text = f"{name} {made.content} {','.join(sorted(made.uses))}"
    return Resource(name, text, Any(type_url=type_url, value=text.encode()))


@st.composite
def states(draw: st.DrawFn) -> State:
    """Consistent states: every name that is used is there. The content `bad` does not occur."""
    contents = st.sampled_from("012")
    clusters = draw(st.dictionaries(st.sampled_from("abc"), contents, max_size=3))
    listeners = draw(st.dictionaries(st.sampled_from("xy"), contents, max_size=2))
    static = draw(st.sets(st.sampled_from("abc"), max_size=1))
    used = {r: draw(st.sets(st.sampled_from(sorted(clusters) or [""]))) - {""} for r in sorted(listeners)}
    return {
        CLUSTER: {c: Item(v, frozenset() if c in static else frozenset({c})) for c, v in clusters.items()},
        ENDPOINT: {c: Item(draw(contents)) for c in clusters if c not in static},
        LISTENER: {n: Item(v, frozenset({n})) for n, v in listeners.items()},
        ROUTE: {n: Item(draw(contents), frozenset(used[n])) for n in listeners},
    }


def spoilt(state: State, type_url: str) -> State:
    """The state with the first resource of a type made unacceptable, when it has one."""
    items = dict(state[type_url])
    if items:
        first = min(items)
        items[first] = Item("bad", items[first].uses)
    return {**state, type_url: items}
