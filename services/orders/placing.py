"""The saga of an order: reserve, charge, ship, confirm; undone by cancel, refund and release.

Input: an order in the database, found by the saga's id. Output: calls to inventory, payments and shipping, each with a key made
of the order's id, so that a step that is done twice has one effect; and the order's state and its event, kept with the
saga's state.

    step       done by               undone by
    reserve    inventory Reserve     inventory Release (also of what was confirmed)
    charge     payments Charge       payments Refund (also of what never arrived)
    ship       shipping Create       shipping Cancel (also of what never arrived)
    confirm    inventory Confirm     nothing: Release does it
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.inventory.v1 import inventory_pb2 as inventory
from services.gen.shop.money.v1.money_pb2 import Money
from services.gen.shop.payments.v1 import payments_pb2 as payments
from services.gen.shop.shipping.v1 import shipping_pb2 as shipping
from services.kit.database import Database
from services.kit.errors import CallFailed
from services.kit.events.outbox import Outbox
from services.kit.saga.definition import Definition, Step
from services.kit.saga.store import Saga
from services.orders import events, store
from services.orders.order import PHASES, Order, failed

if TYPE_CHECKING:  # these names exist in the stubs only
    from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceAsyncStub
    from services.gen.shop.payments.v1.payments_pb2_grpc import PaymentsServiceAsyncStub
    from services.gen.shop.shipping.v1.shipping_pb2_grpc import ShippingServiceAsyncStub

KIND = "place order"


@dataclass(frozen=True)
class Placing:
    """What the steps work with."""

    database: Database
    inventory: "InventoryServiceAsyncStub"
    payments: "PaymentsServiceAsyncStub"
    shipping: "ShippingServiceAsyncStub"
    outbox: Outbox

    def definition(self) -> Definition:
        steps = (
            Step("reserve", self._reserve, self._release),
            Step("charge", self._charge, self._refund),
            Step("ship", self._ship, self._cancel),
            Step("confirm", self._confirm, None),
        )
        return Definition(KIND, steps, self._follow)

    async def _reserve(self, saga: Saga) -> None:
        order = await self._order(saga)
        lines = [inventory.Line(product_id=line.product_id, quantity=line.quantity) for line in order.lines]
        await self.inventory.Reserve(inventory.ReserveRequest(reservation_id=order.id, lines=lines))

    async def _release(self, saga: Saga) -> None:
        await self.inventory.Release(inventory.ReleaseRequest(reservation_id=saga.id))

    async def _charge(self, saga: Saga) -> None:
        order = await self._order(saga)
        await self.payments.Charge(
            payments.ChargeRequest(
                key=charge_key(saga.id),
                amount=Money(currency=order.currency, minor=order.total),
                payment_method=order.payment_method,
            )
        )

    async def _refund(self, saga: Saga) -> None:
        await self.payments.Refund(payments.RefundRequest(key=charge_key(saga.id)))

    async def _ship(self, saga: Saga) -> None:
        order = await self._order(saga)
        parcels = [
            shipping.Parcel(product_id=line.product_id, quantity=line.quantity) for line in order.lines
        ]
        await self.shipping.CreateShipment(
            shipping.CreateShipmentRequest(
                key=ship_key(saga.id), recipient_id=order.customer_id, parcels=parcels
            )
        )

    async def _cancel(self, saga: Saga) -> None:
        await self.shipping.CancelShipment(shipping.CancelShipmentRequest(key=ship_key(saga.id)))

    async def _confirm(self, saga: Saga) -> None:
        await self.inventory.Confirm(inventory.ConfirmRequest(reservation_id=saga.id))

    async def _order(self, saga: Saga) -> Order:
        async with self.database.read() as connection:
            order = await store.get(connection, saga.id)
        if order is None:
            raise LookupError(f"the saga {saga.id} has no order: they are added together")
        return order

    async def _follow(
        self, connection: AsyncConnection, saga: Saga, step: str, failure: CallFailed | None
    ) -> None:
        """Makes the order's state the saga's, and tells it. The first failure is the reason; those of undoing are not."""
        order = await store.get(connection, saga.id)
        if order is None:
            raise LookupError(f"the saga {saga.id} has no order: they are added together")
        after = replace(order, state=PHASES[saga.state.phase])
        if failure and not order.failure:
            after = failed(after, step, failure)
        if after == order:
            return
        await store.change(connection, after)
        if after.state is not order.state:
            await events.tell(self.outbox, connection, after)


def charge_key(order: str) -> str:
    """By which payments knows an order's charge."""
    return f"{order}:charge"


def ship_key(order: str) -> str:
    """By which shipping knows an order's shipment."""
    return f"{order}:ship"
