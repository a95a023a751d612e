"""Events in and out of their envelope.

Used by outbox, which wraps what a service tells, and by consumer, which reads what arrives. Which payloads there are is
the contract's matter: a message type that has a place in the envelope can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message

from services.gen.shop.events.v1.events_pb2 import Envelope


@dataclass(frozen=True)
class Event:
    """What a service tells: `payload` happened to the aggregate `id` of this `kind`."""

    kind: str
    id: str
    payload: Message


PLACES: Mapping[str, str] = {
    field.message_type.full_name: field.name
    for field in Envelope.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type
}


def wrapped(event: Event, event_id: str, sequence: int, occurred: datetime, traceparent: str) -> Envelope:
    """Raises KeyError when the contract has no such payload."""
    envelope = Envelope(
        event_id=event_id,
        aggregate_kind=event.kind,
        aggregate_id=event.id,
        sequence=sequence,
        traceparent=traceparent,
    )
    envelope.occurred_time.FromDatetime(occurred)
    place = getattr(envelope, PLACES[event.payload.DESCRIPTOR.full_name])
    place.SetInParent()
    place.MergeFrom(event.payload)
    return envelope
