"""Both variants of the xDS protocol: a proxy's messages to Stream's Requests, Updates to messages.

In delta a message carries what changed. In the state of the world it carries all clusters or all listeners,
since what is missing there is removed; of the types that are asked for by name it need only carry what
changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envoy.service.discovery.v3.discovery_pb2 import (
    DeltaDiscoveryRequest,
    DeltaDiscoveryResponse,
    DiscoveryRequest,
    DiscoveryResponse,
)
from envoy.service.discovery.v3.discovery_pb2 import Resource as WireResource
from google.protobuf.message import Message

from mesh.xds.desired import WILDCARD
from mesh.xds.topic import Request, Update


@dataclass(frozen=True)
class Variant:
    """How one variant reads and writes; ``request`` is its message type, which gRPC parses with."""

    request: type[Message]
    read: Callable[[Any], Request]
    write: Callable[[Update], Message]


def _read_delta(message: Any) -> Request:
    return Request(
        message.type_url,
        subscribe=frozenset(message.resource_names_subscribe),
        unsubscribe=frozenset(message.resource_names_unsubscribe),
        known=dict(message.initial_resource_versions),
        nonce=message.response_nonce,
        error=_error(message),
    )


def _write_delta(update: Update) -> Message:
    resources = (
        WireResource(name=r.name, version=r.version, resource=r.any) for r in update.changed.values()
    )
    response: Message = DeltaDiscoveryResponse(
        type_url=update.type_url,
        nonce=update.nonce,
        system_version_info=update.version,
        resources=resources,
        removed_resources=update.removed,
    )
    return response


def _read_whole(message: Any) -> Request:
    return Request(
        message.type_url,
        subscribe=frozenset(message.resource_names),
        exact=True,
        nonce=message.response_nonce,
        error=_error(message),
    )


def _write_whole(update: Update) -> Message:
    sent = update.whole if update.type_url in WILDCARD else update.changed
    response: Message = DiscoveryResponse(
        type_url=update.type_url,
        nonce=update.nonce,
        version_info=update.version,
        resources=[resource.any for resource in sent.values()],
    )
    return response


def _error(message: Any) -> str | None:
    return str(message.error_detail.message) if message.HasField("error_detail") else None


DELTA = Variant(DeltaDiscoveryRequest, _read_delta, _write_delta)
STATE_OF_THE_WORLD = Variant(DiscoveryRequest, _read_whole, _write_whole)
