"""A leaf of the shop in another language, a broker, and what a publisher in Python tells it."""

import json
import sqlite3
import subprocess
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from google.protobuf import json_format

from services.gen.shop.events.v1 import events_pb2 as pb
from services.kit.events.broker import Broker, Message, open_broker
from services.kit.events.envelope import Event, wrapped
from tests.services.conformance.habits import Target, call
from tests.services.conftest import built
from tests.services.events.brokers.nats import NatsServer
from tests.services.process import ROOT, Process, image_of


@dataclass
class Leaf:
    """`target` is a method of it without side effects."""

    process: Process
    server: NatsServer
    broker: Broker
    target: Target

    async def ask(self, **fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = json_format.MessageToDict(await call(self.target, json.dumps(fields)))
        return found

    async def tell(self, envelope: pb.Envelope) -> None:
        await self.broker.publish(
            Message("order", envelope.aggregate_id, uuid.uuid4().hex, envelope.SerializeToString())
        )

    def inbox(self) -> list[tuple[str, str]]:
        """(aggregate, state) of each event that it has seen."""
        with closing(sqlite3.connect(self.process.database)) as database:
            return database.execute(
                "SELECT aggregate, state FROM inbox ORDER BY aggregate, sequence"
            ).fetchall()

    def rename(self, table: str, name: str) -> None:
        """Takes a table away, so that its handler fails; or gives it back."""
        with closing(sqlite3.connect(self.process.database, timeout=10)) as database, database:
            database.execute(f"ALTER TABLE {table} RENAME TO {name}")

    def deadletters(self, *arguments: str) -> str:
        """What its own command for people says."""
        image = image_of(self.process.name)
        done = subprocess.run(
            [image.program(ROOT) or image.run[0], *image.run[1:], "deadletters", *arguments],
            cwd=ROOT / image.cwd,
            env={"DATABASE_URL": f"sqlite:///{self.process.database}"},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@asynccontextmanager
async def leaf(name: str, target: tuple[str, str], folder: Path) -> AsyncIterator[Leaf]:
    """`target`: its service and method. The broker is its own, since its durable has one name."""
    await built(name, folder / "build.log")
    server = NatsServer(folder)
    await server.start()
    process = Process(name, folder, {"EVENTS_URL": server.url})
    await process.start()
    await process.ready()
    broker = open_broker(server.url, structlog.get_logger())
    try:
        yield Leaf(process, server, broker, Target(process.address, *target))
    finally:
        await broker.close()
        code = await process.stop()
        await server.end()
        assert code == 0, process.log.read_text()


def order(order_id: str, products: Sequence[str], customer: str = "ada") -> pb.OrderDetails:
    return pb.OrderDetails(
        order_id=order_id,
        customer_id=customer,
        products=[pb.OrderedProduct(product_id=each, quantity=1) for each in products],
    )


def event(details: pb.OrderDetails, sequence: int, payload: Any, traceparent: str = "") -> pb.Envelope:
    """`payload` is a type of event, such as OrderConfirmed."""
    told = Event("order", details.order_id, payload(order=details))
    return wrapped(told, f"{details.order_id}-{sequence}", sequence, datetime.now(UTC), traceparent)
