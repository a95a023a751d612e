"""Inventory over gRPC: requests in, stock and reservations out; and the clock that lets reservations expire."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from services.gen.shop.inventory.v1 import inventory_pb2 as pb
from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceServicer
from services.inventory import reservation as rules
from services.inventory import stock, store
from services.inventory.reservation import Action, Line, Reservation
from services.inventory.stock import Stock
from services.kit.app import App, Service
from services.kit.database import Database
from services.kit.errors import NotFound, Unavailable

PAGE = 50
SWEEP_INTERVAL = 1.0
SWEEP_BATCH = 100


class Inventory(InventoryServiceServicer):
    """One method an RPC; the contract says what each does."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def GetStock(self, request: pb.GetStockRequest, context: Any) -> pb.GetStockResponse:
        product = request.product_id
        async with self._database.read() as connection:
            found = await stock.get(connection, product)
        if found is None:
            raise NotFound(
                "ERROR_REASON_STOCK_UNKNOWN", f"stock of {product!r} was never set", product_id=product
            )
        return pb.GetStockResponse(stock=_stock(found))

    async def BatchGetStock(self, request: pb.BatchGetStockRequest, context: Any) -> pb.BatchGetStockResponse:
        products = list(dict.fromkeys(request.product_ids))
        async with self._database.read() as connection:
            found = await stock.find(connection, products)
        return pb.BatchGetStockResponse(
            stock=[_stock(found[product]) for product in products if product in found],
            missing=[product for product in products if product not in found],
        )

    async def ListStock(self, request: pb.ListStockRequest, context: Any) -> pb.ListStockResponse:
        size = request.page_size or PAGE
        async with self._database.read() as connection:
            found = await stock.page(connection, request.page_token, size + 1)
        more = found[size - 1].product_id if len(found) > size else ""
        return pb.ListStockResponse(stock=[_stock(each) for each in found[:size]], next_page_token=more)

    async def SetStock(self, request: pb.SetStockRequest, context: Any) -> pb.SetStockResponse:
        async with self._database.write() as connection:
            counted = await stock.count(connection, request.product_id, request.on_hand)
        return pb.SetStockResponse(stock=_stock(counted))

    async def Reserve(self, request: pb.ReserveRequest, context: Any) -> pb.ReserveResponse:
        lines = tuple(Line(line.product_id, line.quantity) for line in request.lines)
        wanted = rules.reserved(request.reservation_id, lines, request.hold.ToTimedelta(), self._now())
        async with self._database.write() as connection:
            if await store.add(connection, wanted):
                await stock.hold(connection, wanted.lines)
                return pb.ReserveResponse(reservation=_reservation(wanted))
            existing = await store.hold(connection, wanted.id)
        assert existing is not None, "reservations are never deleted"
        return pb.ReserveResponse(reservation=_reservation(rules.repeated(existing, wanted)))

    async def Confirm(self, request: pb.ConfirmRequest, context: Any) -> pb.ConfirmResponse:
        confirmed = await act(self._database, request.reservation_id, Action.CONFIRM, self._now())
        if confirmed is None:
            raise NotFound(
                "ERROR_REASON_RESERVATION_UNKNOWN",
                f"nothing was reserved under {request.reservation_id!r}",
                reservation_id=request.reservation_id,
            )
        return pb.ConfirmResponse(reservation=_reservation(confirmed))

    async def Release(self, request: pb.ReleaseRequest, context: Any) -> pb.ReleaseResponse:
        never_made = Reservation(request.reservation_id, rules.State.RELEASED, (), self._now())
        async with self._database.write() as connection:
            if await store.add(connection, never_made):
                return pb.ReleaseResponse(reservation=_reservation(never_made))
        released = await act(self._database, request.reservation_id, Action.RELEASE, self._now())
        return pb.ReleaseResponse(reservation=_reservation(released or never_made))


async def act(database: Database, reservation: str, action: Action, now: datetime) -> Reservation | None:
    """Does an action to a reservation and to the stock, together. None: there is no such reservation. Raises Refused."""
    async with database.write() as connection:
        found = await store.hold(connection, reservation)
        if found is None:
            return None
        after, effect = rules.step(found, action, now)
        if after != found:
            await store.change(connection, after)
            await stock.apply(connection, found.lines, effect)
        return after


async def expire(database: Database, now: Callable[[], datetime]) -> None:
    """Lets reservations expire, for ever. While the database is gone there is nothing to expire; health tells of it."""
    while True:
        try:
            async with database.read() as connection:
                overdue = await store.due(connection, now(), SWEEP_BATCH)
            for reservation in overdue:
                await act(database, reservation, Action.EXPIRE, now())
        except Unavailable:
            overdue = []
        if len(overdue) < SWEEP_BATCH:
            await asyncio.sleep(SWEEP_INTERVAL)


def _stock(found: Stock) -> pb.Stock:
    return pb.Stock(
        product_id=found.product_id,
        on_hand=found.on_hand,
        reserved=found.reserved,
        available=found.on_hand - found.reserved,
    )


def _reservation(found: Reservation) -> pb.Reservation:
    message = pb.Reservation(
        id=found.id,
        state=pb.ReservationState.Value(f"RESERVATION_STATE_{found.state}"),
        lines=[pb.Line(product_id=line.product_id, quantity=line.quantity) for line in found.lines],
    )
    message.expire_time.FromDatetime(found.expires)
    return message


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_inventory(app: App) -> AsyncIterator[Inventory]:
    sweeping = app.tasks.create_task(expire(app.database, _utc_now))
    yield Inventory(app.database, _utc_now)
    sweeping.cancel()


SERVICE = Service("services.inventory", pb.DESCRIPTOR.services_by_name["InventoryService"], open_inventory)
