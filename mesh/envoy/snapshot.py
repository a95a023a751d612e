"""Everything one proxy is to be configured with, at one moment.

compile makes a Snapshot for each proxy; xds packs and sends it; `mesh xds` prints it. Immutable: a change is
another Snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from mesh.envoy import consistency
from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, Resource, digest, pack

#: In the order in which Envoy must learn of them (Envoy's "Eventual consistency considerations").
TYPE_URLS = (CLUSTER, ENDPOINT, LISTENER, ROUTE)


@dataclass(frozen=True)
class Snapshot:
    """Clusters, endpoints, listeners and routes by name (endpoints by their ``cluster_name``)."""

    clusters: Mapping[str, Message] = field(default_factory=dict)
    endpoints: Mapping[str, Message] = field(default_factory=dict)
    listeners: Mapping[str, Message] = field(default_factory=dict)
    routes: Mapping[str, Message] = field(default_factory=dict)

    def resources(self, type_url: str) -> Mapping[str, Resource]:
        """The packed resources of one of TYPE_URLS by name."""
        return self._packed[type_url]

    @cached_property
    def version(self) -> str:
        """Names the whole content: equal snapshots have equal versions, also across restarts."""
        names = (
            f"{url} {resource.name} {resource.version}"
            for url, packed in self._packed.items()
            for resource in sorted(packed.values(), key=lambda r: r.name)
        )
        return digest(name.encode() for name in names)

    def consistent(self) -> list[str]:
        """What does not resolve inside the snapshot, one sentence each; empty when it may be served."""
        return consistency.unresolved(self.clusters, self.endpoints, self.listeners, self.routes)

    @cached_property
    def endpoints_of(self) -> Mapping[str, frozenset[str]]:
        """By cluster, the endpoints that it learns over EDS."""
        return consistency.endpoints_of(self.clusters)

    @cached_property
    def routes_of(self) -> Mapping[str, frozenset[str]]:
        """By listener, the route configurations that it learns over RDS."""
        return consistency.routes_of(self.listeners)

    @cached_property
    def _packed(self) -> dict[str, dict[str, Resource]]:
        kinds = (self.clusters, self.endpoints, self.listeners, self.routes)
        return {
            url: {name: pack(name, message) for name, message in messages.items()}
            for url, messages in zip(TYPE_URLS, kinds, strict=True)
        }


def to_json(snapshot: Snapshot) -> dict[str, list[dict[str, object]]]:
    """As `oracle dump` prints a proxy: four lists of messages in protobuf's JSON, in the snapshot's order."""
    kinds = ("clusters", "endpoints", "listeners", "routes")
    return {kind: [MessageToDict(message) for message in getattr(snapshot, kind).values()] for kind in kinds}
