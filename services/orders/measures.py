"""What the shop earns, counted as orders are told: placed, confirmed with what they are worth, cancelled by reason, returned.

Input: the events that placing and returning tell. Output: counters, exported by the kit. A change whose transaction is rolled back
and tried again is counted again: for accounts, ask the database.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.events.v1 import events_pb2 as pb
from services.kit.events.envelope import Event
from services.kit.events.outbox import Outbox
from services.kit.telemetry import Counter, Telemetry

PLACED: Final = Counter("shop.orders.placed", "Orders that customers placed", "{order}")
CONFIRMED: Final = Counter("shop.orders.confirmed", "Orders that went well", "{order}")
COMPENSATED: Final = Counter("shop.orders.compensated", "Orders of which everything was undone", "{order}")
RETURNED: Final = Counter("shop.orders.returned", "Orders that were given back", "{order}")
REVENUE: Final = Counter("shop.revenue", "What confirmed orders are worth, in the smallest unit", "{minor}")

_DECISION: Final = 2
"""The number of an order's event that says what became of placing it. A return that is called off confirms the order once more."""


@dataclass(frozen=True, kw_only=True)
class Measured(Outbox):
    """An outbox that counts what it is told."""

    telemetry: Telemetry

    @classmethod
    def of(cls, outbox: Outbox, telemetry: Telemetry) -> "Measured":
        return cls(outbox.now, outbox.random, outbox.added, telemetry=telemetry)

    async def add(self, connection: AsyncConnection, event: Event) -> pb.Envelope:
        added = await super().add(connection, event)
        match event.payload:
            case pb.OrderPlaced():
                self.telemetry.counted(PLACED, 1)
            case pb.OrderConfirmed(order=order) if added.sequence == _DECISION:
                self.telemetry.counted(CONFIRMED, 1)
                self.telemetry.counted(REVENUE, order.total.minor, currency=order.total.currency)
            case pb.OrderCancelled(reason=reason):
                self.telemetry.counted(COMPENSATED, 1, reason=pb.CancelReason.Name(reason))
            case pb.OrderReturned():
                self.telemetry.counted(RETURNED, 1)
        return added
