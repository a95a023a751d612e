"""What orders tell is counted: once an order, with what it is worth."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import MetaData

from services.kit import otlp, settings
from services.kit.database import Database
from services.kit.events import outbox
from services.kit.telemetry import Recorder
from services.orders import events, measures
from services.orders.measures import Measured
from services.orders.order import State
from tests.pure.services.orders.test_events import ORDER


async def test_an_order_is_counted_once_whatever_becomes_of_it_later(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/orders.db")
    metadata, telemetry = MetaData(), Recorder()
    outbox.tables(metadata)
    plain = outbox.Outbox(lambda: datetime.now(UTC), random.Random(1))
    measured = Measured.of(plain, telemetry)
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
        for state in (State.PLACING, State.CONFIRMED, State.CONFIRMED, State.RETURNED):
            await events.tell(measured, connection, replace(ORDER, state=state))
        for state in (State.PLACING, State.CANCELLED):
            lost = replace(ORDER, id="o2", state=state, failure="ERROR_REASON_OUT_OF_STOCK")
            await events.tell(measured, connection, lost)
    await database.close()
    assert plain.added.is_set()
    assert {counter.name: counts for counter, counts in telemetry.counts.items()} == {
        "shop.orders.placed": {(): 2},
        "shop.orders.confirmed": {(): 1},
        "shop.revenue": {(("currency", "EUR"),): 5800},
        "shop.orders.returned": {(): 1},
        "shop.orders.compensated": {(("reason", "CANCEL_REASON_OUT_OF_STOCK"),): 1},
    }


def test_counts_are_exported_as_sums_that_only_grow() -> None:
    telemetry = Recorder()
    telemetry.counted(measures.REVENUE, 5, currency="EUR")
    telemetry.counted(measures.REVENUE, 7, currency="EUR")
    of = otlp.resource(settings.from_environment("orders", {}))
    [metric] = otlp.metrics(telemetry, of, 1, 2).resource_metrics[0].scope_metrics[0].metrics
    [point] = metric.sum.data_points
    assert (metric.name, metric.sum.is_monotonic, point.as_double) == ("shop.revenue", True, 12)
    assert (point.attributes[0].key, point.attributes[0].value.string_value) == ("currency", "EUR")
