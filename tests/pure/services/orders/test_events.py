"""What an order's states are told as, and that the migrations keep it where the kit looks for it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, inspect

from services.gen.shop.events.v1 import events_pb2 as pb
from services.gen.shop.orders.v1 import orders_pb2
from services.kit import migration
from services.kit.database import Database
from services.kit.events import lease, outbox
from services.kit.saga import store as sagas
from services.orders.events import REASONS, of
from services.orders.order import Line, Order, State

LINES = (Line("mug", 2, 900), Line("teapot", 1, 4000))
ORDER = Order("o1", "key", "ada", LINES, "EUR", "tok_visa", datetime(2025, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("state", "failure", "told"),
    [
        (State.PLACING, "", pb.OrderPlaced),
        (State.CONFIRMED, "", pb.OrderConfirmed),
        (State.CANCELLING, "ERROR_REASON_OUT_OF_STOCK", None),
        (State.CANCELLED, "ERROR_REASON_OUT_OF_STOCK", pb.OrderCancelled),
        (State.RETURNING, "", None),
        (State.RETURNED, "", pb.OrderReturned),
    ],
)
def test_a_state_is_told_with_all_that_a_consumer_needs(
    state: State, failure: str, told: type[pb.OrderPlaced] | None
) -> None:
    event = of(replace(ORDER, state=state, failure=failure))
    assert (event and type(event.payload)) is told
    if event:
        details: pb.OrderDetails = getattr(event.payload, "order")  # noqa: B009
        assert (event.kind, event.id) == ("order", "o1")
        assert (details.order_id, details.customer_id, details.total.minor) == ("o1", "ada", 5800)
        assert [(p.product_id, p.quantity, p.unit_price.minor) for p in details.products] == [
            ("mug", 2, 900),
            ("teapot", 1, 4000),
        ]
        assert "tok_visa" not in str(details)


@pytest.mark.parametrize(
    "reason",
    [
        "ERROR_REASON_OUT_OF_STOCK",
        "ERROR_REASON_PAYMENT_DECLINED",
        "ERROR_REASON_STEP_REFUSED",
        "ERROR_REASON_STEP_UNAVAILABLE",
        "ERROR_REASON_STEP_TIMED_OUT",
    ],
)
def test_each_failure_of_an_order_has_its_reason(reason: str) -> None:
    assert orders_pb2.ErrorReason.Value(reason)
    assert REASONS[reason] != pb.CANCEL_REASON_UNSPECIFIED


async def test_the_migrations_make_the_tables_that_the_kit_works_with(tmp_path: Path) -> None:
    wanted = MetaData()
    outbox.tables(wanted)
    lease.table(wanted)
    sagas.table(wanted)
    urls = [f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("migrated", "wanted")]
    await migration.migrate("services.orders", urls[0])
    shapes = []
    for url in urls:
        database = Database(url)
        async with database.write() as connection:
            if url == urls[1]:
                await connection.run_sync(wanted.create_all)
            shapes.append(await connection.run_sync(shape, list(wanted.tables)))
        await database.close()
    assert shapes[0] == shapes[1]


def shape(connection: Connection, tables: list[str]) -> object:
    looked = inspect(connection)
    return [
        (
            [
                (column["name"], str(column["type"]), column["nullable"])
                for column in looked.get_columns(table)
            ],
            looked.get_pk_constraint(table)["constrained_columns"],
            sorted((str(i["name"]), i["column_names"], i["unique"]) for i in looked.get_indexes(table)),
            [constraint["column_names"] for constraint in looked.get_unique_constraints(table)],
        )
        for table in tables
    ]
