"""The saga of a return: take back, refund, restock; called off until the refund, and finished from then on.

Input: a return in the database, found by the saga's id. Output: calls to shipping, payments and inventory, each with a key, so that a
step that is done twice has one effect; and the state of its order and its event, kept with the saga's state.

    step       done by               undone by
    take back  shipping Return       shipping CancelReturn (also of what never arrived): the goods go out again
    refund     payments Refund       nothing: nobody takes money a second time. From here on there is no way back
    restock    inventory Release     nothing
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.inventory.v1 import inventory_pb2 as inventory
from services.gen.shop.payments.v1 import payments_pb2 as payments
from services.gen.shop.shipping.v1 import shipping_pb2 as shipping
from services.kit.database import Database
from services.kit.errors import CallFailed
from services.kit.events.outbox import Outbox
from services.kit.saga.definition import Definition, Step
from services.kit.saga.store import Saga
from services.orders import events, returned, store
from services.orders.order import Order, State
from services.orders.placing import charge_key, ship_key

if TYPE_CHECKING:  # these names exist in the stubs only
    from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceAsyncStub
    from services.gen.shop.payments.v1.payments_pb2_grpc import PaymentsServiceAsyncStub
    from services.gen.shop.shipping.v1.shipping_pb2_grpc import ShippingServiceAsyncStub

KIND = "return order"
TRIES = 3


@dataclass(frozen=True)
class Returning:
    """What the steps work with."""

    database: Database
    inventory: "InventoryServiceAsyncStub"
    payments: "PaymentsServiceAsyncStub"
    shipping: "ShippingServiceAsyncStub"
    outbox: Outbox

    def definition(self) -> Definition:
        steps = (
            Step("take back", self._take_back, self._send_again, TRIES),
            Step("refund", self._refund, final=True),
            Step("restock", self._restock),
        )
        return Definition(KIND, steps, self._follow)

    async def _take_back(self, saga: Saga) -> None:
        order = await self._order(saga)
        await self.shipping.ReturnShipment(
            shipping.ReturnShipmentRequest(key=ship_key(order.id), return_key=saga.id)
        )

    async def _send_again(self, saga: Saga) -> None:
        order = await self._order(saga)
        await self.shipping.CancelReturn(
            shipping.CancelReturnRequest(key=ship_key(order.id), return_key=saga.id)
        )

    async def _refund(self, saga: Saga) -> None:
        order = await self._order(saga)
        await self.payments.Refund(payments.RefundRequest(key=charge_key(order.id)))

    async def _restock(self, saga: Saga) -> None:
        order = await self._order(saga)
        await self.inventory.Release(inventory.ReleaseRequest(reservation_id=order.id))

    async def _order(self, saga: Saga) -> Order:
        async with self.database.read() as connection:
            return await self._known(connection, saga)

    async def _known(self, connection: AsyncConnection, saga: Saga) -> Order:
        order = await store.returned_by(connection, saga.id)
        if order is None:
            raise LookupError(f"the saga {saga.id} has no return: they are added together")
        return order

    async def _follow(
        self, connection: AsyncConnection, saga: Saga, step: str, failure: CallFailed | None
    ) -> None:
        """Makes the order's state what the saga says, and tells when it is returned."""
        order = await self._known(connection, saga)
        after = returned.followed(order, saga.state.phase, step, failure)
        if after == order:
            return
        await store.change(connection, after)
        if after.state is State.RETURNED:
            await events.tell(self.outbox, connection, after)
