"""What a service of this machine offers, by its reflection: methods with the options of their contract. Used by the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor

from mesh.local.grpc_call import reflected

_BORING = ("grpc.reflection.", "grpc.health.")
_OPTIONS = "google.protobuf.MethodOptions"
SECONDS = 5.0


@dataclass(frozen=True)
class Method:
    """``path`` is ``package.Service/Method``; ``options`` as JSON, extensions by ``[full.name]``; ``example`` a request with all plain fields."""

    path: str
    streams: str
    options: Mapping[str, Any]
    example: str


def methods(address: str) -> list[Method]:
    """Of whatever serves at ``address``, in its order; empty when it does not answer or has no reflection."""
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(SECONDS)
            pool, services = reflected(channel)
            return [made for name in services if not name.startswith(_BORING) for made in _of(pool, name)]
        except (grpc.RpcError, grpc.FutureTimeoutError, KeyError):
            return []


def _of(pool: descriptor_pool.DescriptorPool, service: str) -> Iterator[Method]:
    for method in pool.FindServiceByName(service).methods:
        empty = message_factory.GetMessageClass(method.input_type)()
        example = json_format.MessageToJson(empty, always_print_fields_with_no_presence=True)
        yield Method(f"{service}/{method.name}", _streams(method), _options(pool, method), example)


def _streams(method: MethodDescriptor) -> str:
    ways = [
        name
        for name, does in (("client", method.client_streaming), ("server", method.server_streaming))
        if does
    ]
    return " and ".join(ways)


def _options(pool: descriptor_pool.DescriptorPool, method: MethodDescriptor) -> Mapping[str, Any]:
    """Read again by the descriptors that the service sent, which know its extensions."""
    written = method.GetOptions().SerializeToString()
    try:
        kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(_OPTIONS))
    except KeyError:
        return {}
    found: dict[str, Any] = json_format.MessageToDict(kind.FromString(written), descriptor_pool=pool)
    return found
