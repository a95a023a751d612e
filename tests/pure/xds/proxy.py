"""A model of Envoy for the stream: what it asks for, holds and answers, in both variants.

It speaks real protobuf messages. ``inbox`` are the server's messages that it has not processed yet,
``outbox`` its own that the server has not. Content `bad` it refuses.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DiscoveryRequest

from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE
from mesh.xds.desired import CHILD, WILDCARD, Desired
from mesh.xds.stream import Stream
from mesh.xds.wire import DELTA, STATE_OF_THE_WORLD
from tests.pure.xds.states import Item, item

ROOTS = (CLUSTER, LISTENER)
TYPES = (CLUSTER, ENDPOINT, LISTENER, ROUTE)


def _empty() -> dict[str, dict[str, Item]]:
    return {type_url: {} for type_url in TYPES}


@dataclass
class Proxy:
    """``partial``: of a refused message it keeps the good ones. ``warm`` clusters can take requests."""

    delta: bool
    partial: bool
    held: dict[str, dict[str, Item]] = field(default_factory=_empty)
    versions: dict[tuple[str, str], str] = field(default_factory=dict)
    warm: set[str] = field(default_factory=set)
    warming: set[str] = field(default_factory=set)
    stream: Stream = field(default_factory=Stream)
    inbox: deque[Any] = field(default_factory=deque)
    outbox: deque[Any] = field(default_factory=deque)
    nonces: dict[str, str] = field(default_factory=dict)
    asked: dict[str, set[str]] = field(default_factory=dict)
    withheld: tuple[dict[str, str] | None] | None = None
    paused: bool = False

    def connect(self, desired: Desired | None) -> None:
        """Begin a stream: what was under way on the last one is lost, what is held stays."""
        self.stream, self.nonces = Stream(), {}
        self.inbox.clear()
        self.outbox.clear()
        self.publish(desired)
        self.withheld = None
        for type_url in TYPES:
            if type_url == CLUSTER and self.warming:
                self.paused = True
            elif type_url in WILDCARD or self.asked.get(type_url):
                self._ask_first(type_url)

    def publish(self, desired: Desired | None) -> None:
        """Have the server aim the stream at a state."""
        self.inbox.extend(self._variant.write(update) for update in self.stream.publish(desired))

    def hear(self) -> None:
        """Have the server take the oldest request."""
        updates = self.stream.receive(self._variant.read(self.outbox.popleft()))
        self.inbox.extend(self._variant.write(update) for update in updates)

    def process(self) -> None:
        """Apply the server's oldest message, answer it, and ask for what it made necessary."""
        message = self.inbox.popleft()
        type_url = message.type_url
        refused = self._apply(message)
        self.nonces[type_url] = message.nonce
        error = {"message": f"refused {refused}"} if refused else None
        if type_url == CLUSTER:
            self.withheld = (error,)
        else:
            self._answer(type_url, error)
        for parent in ROOTS:
            self._follow(parent)
        self._resume()

    def _resume(self) -> None:
        """Envoy says nothing about clusters while one of them waits for its endpoints."""
        if self.warming:
            return
        if self.paused:
            self.paused = False
            self._ask_first(CLUSTER)
        if self.withheld:
            (error,), self.withheld = self.withheld, None
            self._answer(CLUSTER, error)

    def settle(self) -> None:
        """Let both sides go on until neither has anything to say."""
        for _ in range(300):
            if self.inbox:
                self.process()
            elif self.outbox:
                self.hear()
            else:
                return
        raise AssertionError("the two never stop talking")

    def gaps(self) -> list[str]:
        """Requests that would fail now: routes whose clusters cannot take any."""
        routes = [(name, c) for name in self.held[ROUTE] for c in self.held[ROUTE][name].uses]
        return [f"{name} -> {cluster}" for name, cluster in routes if cluster not in self.warm]

    @property
    def _variant(self) -> Any:
        return DELTA if self.delta else STATE_OF_THE_WORLD

    def _apply(self, message: Any) -> list[str]:
        type_url = message.type_url
        packed = [r.resource for r in message.resources] if self.delta else message.resources
        came = dict(item(each.value) for each in packed)
        versions = {r.name: r.version for r in message.resources} if self.delta else {}
        refused = [name for name, made in came.items() if made.content == "bad"]
        if refused and not self.partial:
            return refused
        whole = not self.delta and type_url in WILDCARD
        for name in (
            set(self.held[type_url]) - came.keys() if whole else getattr(message, "removed_resources", ())
        ):
            self._remove(type_url, name)
        for name in came.keys() - set(refused):
            self._take(type_url, name, came[name], versions.get(name, ""))
        return refused

    def _take(self, type_url: str, name: str, made: Item, version: str) -> None:
        if type_url not in WILDCARD and name not in self.asked.get(type_url, ()):
            return
        changed = self.held[type_url].get(name) != made
        self.held[type_url][name] = made
        self.versions[type_url, name] = version
        if type_url == CLUSTER and changed:
            (self.warming.add if made.uses else self._warmed)(name)
        if type_url == ENDPOINT and name in self.warming:
            self._warmed(name)

    def _warmed(self, cluster: str) -> None:
        self.warming.discard(cluster)
        self.warm.add(cluster)

    def _remove(self, type_url: str, name: str) -> None:
        self.held[type_url].pop(name, None)
        self.versions.pop((type_url, name), None)
        if type_url == CLUSTER:
            self.warm.discard(name)
            self.warming.discard(name)

    def _follow(self, parent: str) -> None:
        child = CHILD[parent]
        names = {name for made in self.held[parent].values() for name in made.uses}
        before = self.asked.get(child)
        if names == (before or set()):
            return
        self.asked[child] = names
        for name in (before or set()) - names:
            self._remove(child, name)
        if not before:
            self._ask_first(child)
        else:
            self._ask_more(child, names - before, before - names)

    def _ask_first(self, type_url: str) -> None:
        names = self.asked.get(type_url, set())
        known = {name: self.versions.get((type_url, name), "") for name in self.held[type_url]}
        self.outbox.append(
            DeltaDiscoveryRequest(
                type_url=type_url, resource_names_subscribe=names, initial_resource_versions=known
            )
            if self.delta
            else self._whole(type_url)
        )

    def _ask_more(self, type_url: str, new: set[str], old: set[str]) -> None:
        self.outbox.append(
            DeltaDiscoveryRequest(
                type_url=type_url, resource_names_subscribe=new, resource_names_unsubscribe=old
            )
            if self.delta
            else self._whole(type_url)
        )

    def _answer(self, type_url: str, error: dict[str, str] | None) -> None:
        nonce = self.nonces[type_url]
        self.outbox.append(
            DeltaDiscoveryRequest(type_url=type_url, response_nonce=nonce, error_detail=error)
            if self.delta
            else self._whole(type_url, error)
        )

    def _whole(self, type_url: str, error: dict[str, str] | None = None) -> DiscoveryRequest:
        names = self.asked.get(type_url, set())
        nonce = self.nonces.get(type_url, "")
        return DiscoveryRequest(
            type_url=type_url, resource_names=names, response_nonce=nonce, error_detail=error
        )
