"""Events in their envelope, and which broker a URL means."""

from datetime import UTC, datetime

import pytest
import structlog
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.gen.shop.events.v1 import events_pb2 as pb
from services.kit.events.broker import open_broker
from services.kit.events.envelope import PLACES, Event, wrapped
from services.kit.settings import BadSetting

THEN = datetime(2025, 3, 1, 12, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (pb.OrderPlaced(order=pb.OrderDetails(order_id="o")), "order_placed"),
        (pb.OrderConfirmed(), "order_confirmed"),
        (pb.OrderCancelled(reason=pb.CANCEL_REASON_OUT_OF_STOCK), "order_cancelled"),
    ],
)
def test_an_envelope_says_what_happened_to_whom_and_when(payload: Message, place: str) -> None:
    envelope = wrapped(Event("order", "o", payload), "e1", 2, THEN, TRACE)
    read = pb.Envelope.FromString(envelope.SerializeToString())
    assert (read.event_id, read.aggregate_kind, read.aggregate_id, read.sequence) == ("e1", "order", "o", 2)
    assert read.occurred_time.ToDatetime(UTC) == THEN
    assert read.traceparent == TRACE
    assert read.WhichOneof("payload") == place
    assert getattr(read, place) == payload


def test_each_event_of_the_contract_has_its_place() -> None:
    events = [name for name in pb.DESCRIPTOR.message_types_by_name if name.startswith("Order")]
    told = {f"shop.events.v1.{name}" for name in events if name not in ("OrderDetails", "OrderedProduct")}
    assert set(PLACES) == told


def test_what_is_no_event_has_no_place() -> None:
    with pytest.raises(KeyError):
        wrapped(Event("order", "o", Timestamp()), "e1", 1, THEN, "")


def test_a_url_of_an_unknown_broker_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(BadSetting, match="nats://"):
        open_broker("carrier-pigeon://loft", structlog.get_logger())
