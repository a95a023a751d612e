"""How the orders service is put together: its channels, its runner of sagas, its servicer."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from services.gen.shop.catalog.v1 import catalog_pb2
from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceStub
from services.gen.shop.inventory.v1 import inventory_pb2
from services.gen.shop.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from services.gen.shop.orders.v1 import orders_pb2
from services.gen.shop.payments.v1 import payments_pb2
from services.gen.shop.payments.v1.payments_pb2_grpc import PaymentsServiceStub
from services.gen.shop.shipping.v1 import shipping_pb2
from services.gen.shop.shipping.v1.shipping_pb2_grpc import ShippingServiceStub
from services.kit.app import App, Service
from services.kit.events.publishing import publishing
from services.kit.saga.runner import Runner
from services.kit.saga.watch import watch
from services.orders.measures import Measured
from services.orders.placing import KIND as PLACE
from services.orders.placing import Placing
from services.orders.returning import KIND as RETURN
from services.orders.returning import Returning
from services.orders.servicer import Orders


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_orders(app: App) -> AsyncIterator[Orders]:
    async with (
        app.channel("catalog", catalog_pb2.DESCRIPTOR.services_by_name["CatalogService"]) as to_catalog,
        app.channel(
            "inventory", inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"]
        ) as to_inventory,
        app.channel("payments", payments_pb2.DESCRIPTOR.services_by_name["PaymentsService"]) as to_payments,
        app.channel("shipping", shipping_pb2.DESCRIPTOR.services_by_name["ShippingService"]) as to_shipping,
        publishing(app, _utc_now) as told,
    ):
        outbox = Measured.of(told, app.telemetry)
        behind = (
            app.database,
            InventoryServiceStub(to_inventory),
            PaymentsServiceStub(to_payments),
            ShippingServiceStub(to_shipping),
            outbox,
        )
        sagas = {PLACE: Placing(*behind).definition(), RETURN: Returning(*behind).definition()}
        owner = f"{app.settings.pod}/{os.getpid()}"
        runner = Runner(app.database, sagas, owner, app.tasks, _utc_now, app.log, app.origin)
        catalog = CatalogServiceStub(to_catalog)
        going_on = [
            app.tasks.create_task(runner.take_over(), name="taking over"),
            app.tasks.create_task(watch(app.database, _utc_now, app.log, app.telemetry), name="stuck sagas"),
        ]
        yield Orders(app.database, sagas, _utc_now, catalog, runner, outbox, app.origin.random)
        for task in going_on:
            task.cancel()


SERVICE = Service("services.orders", orders_pb2.DESCRIPTOR.services_by_name["OrdersService"], open_orders)
