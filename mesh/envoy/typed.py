"""Envoy's extensible parts: a name and a message packed into an Any.

Used wherever compile puts a filter, a transport socket or another extension into a resource. Packing is
deterministic, so that equal configuration has equal bytes.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message


def typed(message: Message) -> AnyMessage:
    """The message as an Any, with map entries sorted."""
    packed = AnyMessage()
    packed.Pack(message, deterministic=True)
    return packed


def extension(name: str, message: Message) -> dict[str, Any]:
    """What any of Envoy's ``{name, typed_config}`` fields takes."""
    return {"name": name, "typed_config": typed(message)}
