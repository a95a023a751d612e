"""What a proxy is to hold, in the protocol's terms: packed resources by type, and which need which.

Made from a Snapshot (ADS) or from secrets (SDS) when they are published; read by Stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message

from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, Resource, digest, pack
from mesh.envoy.snapshot import TYPE_URLS, Snapshot

#: A proxy subscribes to all of these (a wildcard); of any other type only to what it names.
WILDCARD = frozenset({CLUSTER, LISTENER})

#: Having a resource of the first type makes a proxy subscribe to some of the second.
CHILD = {CLUSTER: ENDPOINT, LISTENER: ROUTE}


@dataclass(frozen=True)
class Desired:
    """One published state. ``children`` is, by parent type and parent name, the names that the parent needs.

    ``roots`` are the types that the proxy must have subscribed to before the state can count as accepted.
    """

    version: str
    resources: Mapping[str, Mapping[str, Resource]]
    children: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    roots: frozenset[str] = frozenset()

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """The resources of one type by name."""
        return self.resources.get(type_url, {})

    def needed(self, parent: str) -> frozenset[str]:
        """The names of the child type that all the parents together need and that exist here."""
        named = frozenset().union(*self.children.get(parent, {}).values())
        return named & self.of(CHILD[parent]).keys()


def from_snapshot(snapshot: Snapshot) -> Desired:
    """All that ADS serves to a proxy."""
    return Desired(
        version=snapshot.version,
        resources={type_url: snapshot.resources(type_url) for type_url in TYPE_URLS},
        children={CLUSTER: snapshot.endpoints_of, LISTENER: snapshot.routes_of},
        roots=WILDCARD,
    )


def from_secrets(secrets: Mapping[str, Message]) -> Desired:
    """All that SDS serves to a proxy: secrets by name."""
    packed = {name: pack(name, secret) for name, secret in secrets.items()}
    version = digest(f"{name} {packed[name].version}".encode() for name in sorted(packed))
    return Desired(version, {SECRET: packed})
