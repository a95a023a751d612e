"""A column comes and its makeshift goes while two versions of the catalog serve from one PostgreSQL: no call fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from grpc import StatusCode, aio

from services.gen.shop.catalog.v1 import catalog_pb2 as pb
from services.gen.shop.catalog.v1.catalog_pb2_grpc import CatalogServiceStub
from services.gen.shop.money.v1.money_pb2 import Money
from tests.services.data.conftest import Guarded
from tests.services.events.world import until
from tests.services.process import Process

CALLS = 40


@dataclass
class Caller:
    """Adds products to one version and reads each back, for as long as it runs."""

    name: str
    stub: CatalogServiceStub
    statuses: list[StatusCode] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            product = pb.Product(
                id=f"{self.name}-{len(self.statuses)}", name="A thing", price=Money(currency="EUR", minor=1)
            )
            await self._call(self.stub.CreateProduct(pb.CreateProductRequest(product=product), timeout=10))
            await self._call(self.stub.GetProduct(pb.GetProductRequest(id=product.id), timeout=10))

    async def _call(self, call: "aio.UnaryUnaryCall[object, object]") -> None:
        with contextlib.suppress(aio.AioRpcError):
            await call
        self.statuses.append(await call.code())

    async def more(self) -> None:
        """Returns after some more calls."""
        seen = len(self.statuses)

        async def count() -> int:
            return len(self.statuses)

        await until(count, lambda calls: calls >= seen + CALLS)


@asynccontextmanager
async def calling(process: Process) -> AsyncIterator[Caller]:
    async with aio.insecure_channel(process.address) as channel:
        caller = Caller(process.name, CatalogServiceStub(channel))
        task = asyncio.create_task(caller.run())
        try:
            yield caller
        finally:
            task.cancel()
            await asyncio.wait([task])


async def started(process: Process) -> Process:
    await process.start()
    await process.ready()
    return process


async def revision(guarded: Guarded) -> str:
    async with guarded.connected() as connection:
        found: str = await connection.fetchval("SELECT version_num FROM alembic_version")
        return found


async def test_both_versions_serve_while_the_database_expands_and_contracts(
    guarded: Guarded, tmp_path: Path
) -> None:
    url = {"DATABASE_URL": guarded.url}
    before = await started(Process("before", tmp_path, url, package="tests.services.data.before"))
    assert await revision(guarded) == "0001"
    async with calling(before) as old:
        await old.more()
        expanded = await started(Process("catalog-expanded", tmp_path, url | {"MIGRATE_TO": "0003"}))
        assert await revision(guarded) == "0003"
        async with calling(expanded) as new:
            await asyncio.gather(old.more(), new.more())
            found = await new.stub.GetProduct(pb.GetProductRequest(id="before-0"), timeout=10)
            assert found.product.name == "A thing"

            restarted = await started(
                Process("restarted", tmp_path, url, package="tests.services.data.before")
            )
            assert await restarted.stop() == 0
    assert set(old.statuses) == set(new.statuses) == {StatusCode.OK}
    assert await before.stop() == 0  # nobody needs the makeshift any more

    async with calling(expanded) as new:
        contracted = await started(Process("catalog-contracted", tmp_path, url | {"MIGRATE_TO": ""}))
        assert await revision(guarded) == "0004"
        async with calling(contracted) as newest:
            await asyncio.gather(new.more(), newest.more())
        again = await started(Process("catalog-again", tmp_path, url | {"MIGRATE_TO": "0003"}))
        assert await revision(guarded) == "0004"
    assert set(new.statuses) == set(newest.statuses) == {StatusCode.OK}
    for process in (expanded, contracted, again):
        assert await process.stop() == 0, process.log.read_text()
