"""Shipping over gRPC: requests in, shipments out."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from services.gen.shop.shipping.v1 import shipping_pb2 as pb
from services.gen.shop.shipping.v1.shipping_pb2_grpc import ShippingServiceServicer
from services.kit.app import App, Service
from services.kit.database import Database
from services.kit.errors import NotFound
from services.shipping import shipment as rules
from services.shipping import store
from services.shipping.shipment import Return, Shipment

PAGE = 50
Rule = Callable[[Shipment, Return | None], Shipment]


class Shipping(ShippingServiceServicer):
    """One method an RPC; the contract says what each does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def CreateShipment(
        self, request: pb.CreateShipmentRequest, context: Any
    ) -> pb.CreateShipmentResponse:
        parcels = [(parcel.product_id, parcel.quantity) for parcel in request.parcels]
        code = secrets.token_hex(8).upper()
        wanted = rules.created(request.key, request.recipient_id, parcels, code, datetime.now(UTC))
        async with self._database.write() as connection:
            added = await store.add(connection, wanted)
            shipment = wanted if added else rules.repeated(await store.hold(connection, request.key), wanted)
        return pb.CreateShipmentResponse(shipment=_message(shipment))

    async def CancelShipment(
        self, request: pb.CancelShipmentRequest, context: Any
    ) -> pb.CancelShipmentResponse:
        shipment = rules.never_sent(request.key, datetime.now(UTC))
        async with self._database.write() as connection:
            if not await store.add(connection, shipment):
                shipment = rules.cancelled(await store.hold(connection, request.key))
                await store.change(connection, shipment)
        return pb.CancelShipmentResponse(shipment=_message(shipment))

    async def ReturnShipment(
        self, request: pb.ReturnShipmentRequest, context: Any
    ) -> pb.ReturnShipmentResponse:
        shipment = await self._return(request.key, request.return_key, rules.returned, Return.MADE)
        return pb.ReturnShipmentResponse(shipment=_message(shipment))

    async def CancelReturn(self, request: pb.CancelReturnRequest, context: Any) -> pb.CancelReturnResponse:
        shipment = await self._return(
            request.key, request.return_key, rules.return_cancelled, Return.CANCELLED
        )
        return pb.CancelReturnResponse(shipment=_message(shipment))

    async def _return(self, key: str, return_key: str, rule: Rule, after: Return) -> Shipment:
        """The shipment after a return has become something. Raises NotFound, Refused."""
        async with self._database.write() as connection:
            found = await store.held(connection, key)
            if found is None:
                raise _not_found(key)
            shipment = rule(found, await store.return_of(connection, key, return_key))
            await store.keep_return(connection, key, return_key, after)
            await store.change(connection, shipment)
        return shipment

    async def GetShipment(self, request: pb.GetShipmentRequest, context: Any) -> pb.GetShipmentResponse:
        async with self._database.read() as connection:
            shipment = await store.get(connection, request.key)
        if shipment is None:
            raise _not_found(request.key)
        return pb.GetShipmentResponse(shipment=_message(shipment))

    async def ListShipments(self, request: pb.ListShipmentsRequest, context: Any) -> pb.ListShipmentsResponse:
        size = request.page_size or PAGE
        async with self._database.read() as connection:
            found = await store.page(connection, request.page_token, size + 1)
        more = found[size - 1].key if len(found) > size else ""
        return pb.ListShipmentsResponse(
            shipments=[_message(shipment) for shipment in found[:size]], next_page_token=more
        )


def _not_found(key: str) -> NotFound:
    return NotFound("ERROR_REASON_SHIPMENT_NOT_FOUND", f"nothing was sent under {key!r}", key=key)


def _message(shipment: Shipment) -> pb.Shipment:
    message = pb.Shipment(
        key=shipment.key,
        state=pb.ShipmentState.Value(f"SHIPMENT_STATE_{shipment.state}"),
        recipient_id=shipment.recipient_id,
        parcels=[pb.Parcel(product_id=product, quantity=quantity) for product, quantity in shipment.parcels],
        tracking_code=shipment.tracking_code,
    )
    message.create_time.FromDatetime(shipment.created)
    return message


@asynccontextmanager
async def open_shipping(app: App) -> AsyncIterator[Shipping]:
    yield Shipping(app.database)


SERVICE = Service("services.shipping", pb.DESCRIPTOR.services_by_name["ShippingService"], open_shipping)
