"""Payments over gRPC: requests in, charges out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from services.gen.shop.money.v1.money_pb2 import Money
from services.gen.shop.payments.v1 import payments_pb2 as pb
from services.gen.shop.payments.v1.payments_pb2_grpc import PaymentsServiceServicer
from services.kit.app import App, Service
from services.kit.database import Database
from services.kit.errors import NotFound, Refused
from services.payments import charge as rules
from services.payments import store
from services.payments.charge import Charge, State

PAGE = 50


class Payments(PaymentsServiceServicer):
    """One method an RPC; the contract says what each does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def Charge(self, request: pb.ChargeRequest, context: Any) -> pb.ChargeResponse:
        amount = request.amount
        wanted = rules.charged(
            request.key, amount.currency, amount.minor, request.payment_method, datetime.now(UTC)
        )
        async with self._database.write() as connection:
            added = await store.add(connection, wanted)
            charge = wanted if added else rules.repeated(await store.hold(connection, request.key), wanted)
        if charge.state is State.DECLINED:
            raise Refused("ERROR_REASON_PAYMENT_DECLINED", "the payment method was declined", key=request.key)
        return pb.ChargeResponse(charge=_message(charge))

    async def Refund(self, request: pb.RefundRequest, context: Any) -> pb.RefundResponse:
        charge = rules.voided(request.key, datetime.now(UTC))
        async with self._database.write() as connection:
            if not await store.add(connection, charge):
                charge = rules.refunded(await store.hold(connection, request.key))
                await store.change(connection, charge)
        return pb.RefundResponse(charge=_message(charge))

    async def GetCharge(self, request: pb.GetChargeRequest, context: Any) -> pb.GetChargeResponse:
        async with self._database.read() as connection:
            charge = await store.get(connection, request.key)
        if charge is None:
            raise NotFound(
                "ERROR_REASON_CHARGE_NOT_FOUND", f"nothing was charged under {request.key!r}", key=request.key
            )
        return pb.GetChargeResponse(charge=_message(charge))

    async def ListCharges(self, request: pb.ListChargesRequest, context: Any) -> pb.ListChargesResponse:
        size = request.page_size or PAGE
        async with self._database.read() as connection:
            found = await store.page(connection, request.page_token, size + 1)
        more = found[size - 1].key if len(found) > size else ""
        return pb.ListChargesResponse(
            charges=[_message(charge) for charge in found[:size]], next_page_token=more
        )


def _message(charge: Charge) -> pb.Charge:
    message = pb.Charge(
        key=charge.key,
        state=pb.ChargeState.Value(f"CHARGE_STATE_{charge.state}"),
        payment_method=charge.payment_method,
    )
    if charge.currency:
        message.amount.CopyFrom(Money(currency=charge.currency, minor=charge.amount))
    message.create_time.FromDatetime(charge.created)
    return message


@asynccontextmanager
async def open_payments(app: App) -> AsyncIterator[Payments]:
    yield Payments(app.database)


SERVICE = Service("services.payments", pb.DESCRIPTOR.services_by_name["PaymentsService"], open_payments)
