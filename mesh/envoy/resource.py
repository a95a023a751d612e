"""One Envoy resource as it goes over the wire: packed, and named by a hash of what it says.

Made from the protobuf messages that compile and ca produce; sent by xds. A version is a hash of the content,
so that a restarted control plane gives the same version to the same resource and a proxy that reconnects is
sent only what differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

_PREFIX = "type.googleapis.com/"

CLUSTER = _PREFIX + "envoy.config.cluster.v3.Cluster"
ENDPOINT = _PREFIX + "envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = _PREFIX + "envoy.config.listener.v3.Listener"
ROUTE = _PREFIX + "envoy.config.route.v3.RouteConfiguration"
SECRET = _PREFIX + "envoy.extensions.transport_sockets.tls.v3.Secret"


@dataclass(frozen=True)
class Resource:
    """A named, packed message and the version of its content."""

    name: str
    version: str
    any: Any


def pack(name: str, message: Message) -> Resource:
    """Serialize a message (map entries sorted, so that equal messages have equal versions)."""
    value = message.SerializeToString(deterministic=True)
    return Resource(name, digest([value]), Any(type_url=_PREFIX + message.DESCRIPTOR.full_name, value=value))


def digest(parts: Iterable[bytes]) -> str:
    """The version of a sequence of contents: 16 digits of a SHA-256 over each part and its length."""
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big"))
        total.update(part)
    return total.hexdigest()[:16]
