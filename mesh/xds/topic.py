"""One type of resource on one stream: what the proxy has asked for, holds, and has yet to answer.

Part of Stream, which decides when a topic may send. No I/O and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from google.protobuf.any_pb2 import Any

from mesh.envoy.resource import ENDPOINT, Resource
from mesh.xds.desired import WILDCARD

#: The version of endpoints that a proxy held when it connected. They are always sent again: a cluster that
#: was warming when the last stream broke waits for them, though the proxy names the version that the cluster
#: before it had.
HELD_BEFORE = "held before"


@dataclass(frozen=True)
class Request:
    """What a proxy says, in either variant of the protocol.

    ``exact``: ``subscribe`` is the whole list of names (state of the world), else what is added to it
    (delta). ``known`` are the versions that a reconnecting proxy holds (delta, first request). ``nonce``
    names the response that is answered, or is empty; ``error`` is why it was rejected, or None.
    """

    type_url: str
    subscribe: frozenset[str] = frozenset()
    unsubscribe: frozenset[str] = frozenset()
    exact: bool = False
    known: Mapping[str, str] = field(default_factory=dict)
    nonce: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Update:
    """What a proxy is told: the resources that are new or changed and those that are gone.

    ``whole`` is the type's whole state after it, ``before`` what the changed ones were.
    """

    type_url: str
    nonce: str
    version: str
    changed: Mapping[str, Resource]
    removed: Mapping[str, Resource]
    whole: Mapping[str, Resource]
    before: Mapping[str, Resource]


@dataclass
class Topic:
    """``held`` is what the proxy holds if it accepts what is in flight.

    A held resource without a version may be there or not; one without content is known only by its name.
    """

    type_url: str
    wildcard: bool = False
    names: set[str] = field(default_factory=set)
    held: dict[str, Resource] = field(default_factory=dict)
    in_flight: Update | None = None
    rejected: str | None = None
    last_nonce: str = ""

    @classmethod
    def opened(cls, request: Request) -> Topic:
        """The topic after a type's first request on a stream."""
        wildcard = request.type_url in WILDCARD and (not request.subscribe or "*" in request.subscribe)
        topic = cls(request.type_url, wildcard, set(request.subscribe - {"*"}))
        for name, version in request.known.items():
            topic.held[name] = Resource(name, HELD_BEFORE if request.type_url == ENDPOINT else version, Any())
        return topic

    def subscribe(self, request: Request) -> None:
        """Follow a later request. A name that a delta request subscribes to again is to be sent again."""
        gone = self.names - request.subscribe if request.exact else request.unsubscribe
        again = request.subscribe - self.names if request.exact else request.subscribe
        self.names = (self.names | request.subscribe) - gone - {"*"}
        if not self.wildcard:
            self.forget(gone)
        self.forget(again)

    def forget(self, names: Iterable[str]) -> None:
        """Have names sent again, when they are subscribed to."""
        for name in names:
            self.held.pop(name, None)

    def doubt(self, names: Iterable[str]) -> None:
        """Have names sent again, with what they were when nothing newer is desired."""
        for name in self.held.keys() & names:
            if (known := self.held[name]).any.type_url:
                self.held[name] = _in_doubt(name, known)

    @property
    def in_doubt(self) -> Iterator[str]:
        """What was rejected: the proxy holds it as it was, as it was sent, or not at all."""
        return (name for name, resource in self.held.items() if not resource.version)

    def changed(self, desired: Mapping[str, Resource]) -> dict[str, Resource]:
        """What the proxy asked for and does not hold as desired."""
        wanted = desired if self.wildcard else {n: desired[n] for n in sorted(self.names) if n in desired}
        return {name: resource for name, resource in wanted.items() if not self._has(resource)}

    def surplus(self, desired: Mapping[str, Resource]) -> dict[str, Resource]:
        """What the proxy holds and should not; what is asked for by name it drops by itself."""
        if not self.wildcard:
            return {}
        return {name: resource for name, resource in self.held.items() if name not in desired}

    def send(
        self, nonce: str, version: str, changed: Mapping[str, Resource], removed: Mapping[str, Resource]
    ) -> Update:
        """Take a change as sent; the proxy's answer to ``nonce`` decides."""
        before = {name: self.held[name] for name in changed if name in self.held}
        self.forget(removed)
        self.held |= changed
        whole = {name: resource for name, resource in self.held.items() if resource.any.type_url}
        self.in_flight = Update(self.type_url, nonce, version, changed, removed, whole, before)
        self.last_nonce = nonce
        return self.in_flight

    def answer(self, error: str | None, final: bool) -> None:
        """The answer to what is in flight. After a rejection nobody knows which parts were applied.

        ``final``: nothing more is sent until another state is published.
        """
        assert self.in_flight is not None
        update, self.in_flight = self.in_flight, None
        if error is None:
            return
        self.held |= update.removed
        for name in update.changed.keys() & self.held.keys():
            self.held[name] = _in_doubt(name, update.before.get(name))
        if final:
            self.rejected = error

    def _has(self, resource: Resource) -> bool:
        held = self.held.get(resource.name)
        return held is not None and held.version == resource.version


def _in_doubt(name: str, before: Resource | None) -> Resource:
    return Resource(name, "", before.any if before else Any())
