"""One xDS stream as a pure state machine: requests and published states go in, updates come out.

wire.py translates both variants of the protocol, delta and state of the world, to and from what is used here;
server.py does the I/O. The rules (xDS protocol, "ACK/NACK and resource type instance version" and "Eventual
consistency considerations"):

1. Of each type one update is in flight; the next waits for its answer.
2. Clusters go first. Endpoints follow at once, without waiting for the answer: Envoy answers only when all
   clusters are warm, which takes their endpoints. For clusters that nobody wants any more there are stand-ins.
3. Listeners and then routes wait until clusters and endpoints are accepted and the proxy has the endpoints of
   every cluster: what uses a cluster never comes before it.
4. Clusters that are gone are removed last, when everything else was accepted. Listeners are removed together
   with the ones that come, because a new one may take an old one's port. Endpoints and routes the proxy drops
   by itself.
5. A cluster that is sent again waits in Envoy for its endpoints, so they are sent again too.
6. A rejected update is not repeated, and what it carried counts as unknown, until another state is published.
7. The first request of a wildcard type is answered even when there is nothing to say: Envoy waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, Resource
from mesh.xds.desired import CHILD, WILDCARD, Desired
from mesh.xds.standin import stand_ins
from mesh.xds.topic import Request, Topic, Update

_ORDER = (CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET)


class Stream:
    """The state of one stream. ``publish`` and ``receive`` return what to send, in order."""

    def __init__(self) -> None:
        self._desired: Desired | None = None
        self._former: dict[str, Resource] = {}
        self._warming: frozenset[str] = frozenset()
        self._topics: dict[str, Topic] = {}
        self._sent = 0

    def publish(self, desired: Desired | None) -> list[Update]:
        """Aim for another state; None: for none, the proxy keeps what it has."""
        if desired and self._desired and desired.version == self._desired.version:
            return []
        if self._desired:
            self._former = {**({} if self.accepted else self._former), **self._desired.of(ENDPOINT)}
        self._desired = desired
        for topic in self._topics.values():
            topic.rejected = None
        return self._advance()

    def receive(self, request: Request) -> list[Update]:
        """Follow a proxy's subscription and its answer to an update."""
        topic = self._topics.get(request.type_url)
        if topic is None:
            self._topics[request.type_url] = opened = Topic.opened(request)
            if request.type_url == ENDPOINT:
                opened.forget(self._warming)
            return self._advance()
        if request.exact and request.nonce != topic.last_nonce:
            return []  # overtaken: the proxy repeats its names when it answers the latest update
        topic.subscribe(request)
        if topic.in_flight and request.nonce == topic.in_flight.nonce:
            topic.answer(request.error, final=request.error is not None and self._is_final(topic.in_flight))
        return self._advance()

    @property
    def accepted(self) -> bool:
        """The proxy holds exactly the state that was last published, and has said so."""
        return (
            self._desired is not None
            and self._topics.keys() >= self._desired.roots
            and self._settled(_ORDER)
            and all(self._complete(parent) for parent in CHILD)
            and not self._removable_clusters()
        )

    @property
    def rejected(self) -> str | None:
        """Why the proxy rejected the state that was last published, or None."""
        reasons = [self._topics[t].rejected for t in _ORDER if t in self._topics]
        return "; ".join(reason for reason in reasons if reason) or None

    def _advance(self) -> list[Update]:
        updates = []
        while update := self._next():
            updates.append(update)
        return updates

    def _next(self) -> Update | None:
        if self._desired is None:
            return None
        for type_url in _ORDER:
            topic = self._topics.get(type_url)
            if topic and self._may_send(topic) and (update := self._send_changes(topic, self._desired)):
                return update
        return self._send_removed_clusters()

    def _may_send(self, topic: Topic) -> bool:
        if topic.in_flight or topic.rejected:
            return False
        if topic.type_url not in (LISTENER, ROUTE):
            return True
        listeners = self._topics.get(LISTENER)
        waiting = topic.type_url == ROUTE and listeners and listeners.in_flight
        return not waiting and self._settled((CLUSTER, ENDPOINT)) and self._complete(CLUSTER)

    def _send_changes(self, topic: Topic, desired: Desired) -> Update | None:
        resources = self._resources(topic, desired)
        changed = topic.changed(resources)
        removed = topic.surplus(resources) if topic.type_url == LISTENER else {}
        unanswered = topic.type_url in WILDCARD and not topic.last_nonce
        if not (changed or removed or unanswered):
            return None
        if topic.type_url == CLUSTER:
            self._warm(_children(desired, changed))
            self._warm_again(topic, desired)
        return topic.send(self._nonce(), desired.version, changed, removed)

    def _warm(self, endpoints: frozenset[str]) -> None:
        """Rule 5, also for a proxy that has not asked for endpoints on this stream yet."""
        self._warming = endpoints
        if ENDPOINT in self._topics:
            self._topics[ENDPOINT].forget(endpoints)

    def _warm_again(self, clusters: Topic, desired: Desired) -> None:
        """Rule 5 for clusters in doubt that are going: in the state of the world they are sent as they were."""
        if ENDPOINT in self._topics and any(clusters.in_doubt):
            endpoints = self._topics[ENDPOINT]
            endpoints.doubt(endpoints.names - desired.of(ENDPOINT).keys())

    def _resources(self, topic: Topic, desired: Desired) -> Mapping[str, Resource]:
        wanted = desired.of(topic.type_url)
        if topic.type_url != ENDPOINT:
            return wanted
        return {**wanted, **stand_ins(topic, wanted, self._former, paused=CLUSTER not in self._topics)}

    def _send_removed_clusters(self) -> Update | None:
        removed = self._removable_clusters()
        if not removed or self._desired is None or not self._settled(_ORDER) or not self._complete(LISTENER):
            return None
        return self._topics[CLUSTER].send(self._nonce(), self._desired.version, {}, removed)

    def _removable_clusters(self) -> dict[str, Resource]:
        topic = self._topics.get(CLUSTER)
        return topic.surplus(self._desired.of(CLUSTER)) if topic and self._desired else {}

    def _settled(self, types: tuple[str, ...]) -> bool:
        """Nothing of these types is in flight, rejected or still to be sent."""
        topics = [self._topics[type_url] for type_url in types if type_url in self._topics]
        return all(self._is_settled(topic) for topic in topics)

    def _is_settled(self, topic: Topic) -> bool:
        if self._desired is None or topic.in_flight or topic.rejected:
            return False
        resources = self._resources(topic, self._desired)
        surplus = topic.type_url == LISTENER and topic.surplus(resources)
        return not topic.changed(resources) and not surplus

    def _complete(self, parent: str) -> bool:
        """The proxy has asked for all that the desired parents need (whether it has it, `_settled` says)."""
        if self._desired is None:
            return False
        child = self._topics.get(CHILD[parent])
        return self._desired.needed(parent) <= (child.names if child else set())

    def _is_final(self, rejected: Update) -> bool:
        """It would be rejected again: it is still desired, and no former endpoints can be to blame."""
        if self._desired is None or rejected.version != self._desired.version:
            return False
        blamed = rejected.changed.keys() & self._former.keys() - self._desired.of(rejected.type_url).keys()
        if rejected.type_url != ENDPOINT or not blamed:
            return True
        self._former = {name: r for name, r in self._former.items() if name not in blamed}
        return False

    def _nonce(self) -> str:
        self._sent += 1
        return str(self._sent)


def _children(desired: Desired, clusters: dict[str, Resource]) -> frozenset[str]:
    of = desired.children.get(CLUSTER, {})
    return frozenset().union(*(of.get(name, frozenset()) for name in clusters))
