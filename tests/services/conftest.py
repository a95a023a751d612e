"""The shop's services as real processes, shared by the tests of a worker: each test uses keys of its own."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import pytest_asyncio

from mesh.local.build import build
from mesh.local.config import load
from tests.services.postgres import binaries, postgres
from tests.services.process import ROOT, Process, image_of


@dataclass
class Shop:
    """All of them, ready."""

    catalog: Process
    inventory: Process
    payments: Process
    shipping: Process
    orders: Process

    @property
    def behind(self) -> list[Process]:
        """Those that orders calls."""
        return [self.catalog, self.inventory, self.payments, self.shipping]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    shop = await started(folder)
    yield shop
    for process in (shop.orders, shop.shipping, shop.payments, shop.inventory, shop.catalog):
        assert await process.stop() == 0, process.log.read_text()


async def started(folder: Path, env: Mapping[str, str] = MappingProxyType({})) -> Shop:
    """All in `folder`; orders with more in its environment."""
    behind = [Process(name, folder) for name in ("catalog", "inventory", "payments", "shipping")]
    await asyncio.gather(*(process.start() for process in behind))
    addresses = {f"{process.name.upper()}_ADDRESS": process.address for process in behind}
    orders = Process("orders", folder, {**addresses, **env})
    await orders.start()
    for process in (*behind, orders):
        await process.ready()
    return Shop(*behind, orders)


LEAVES = ("recommendations", "notifications")
"""Services in other languages, which run where their tools are."""


async def built(name: str, log: Path) -> None:
    """Skips the test where the language of the service is not installed."""
    config, image = load(ROOT / "mesh.yaml")[0], image_of(name)
    assert config
    if image.missing:
        pytest.skip(f"{name} needs {' and '.join(image.missing)}, which is not installed")
    await build(f"shop/{name}", image, config, log, _say)


async def _say(text: str) -> None:
    """Nobody listens."""


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=LEAVES)
async def leaf(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    """A leaf without a broker, ready."""
    folder = tmp_path_factory.mktemp(request.param)
    await built(request.param, folder / "build.log")
    leaf = Process(request.param, folder)
    await leaf.start()
    await leaf.ready()
    yield leaf
    assert await leaf.stop() == 0, leaf.log.read_text()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_url() -> AsyncIterator[str]:
    """Its superuser, where PostgreSQL is installed."""
    if (installed := binaries()) is None:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # its server runs as another user
        async with postgres(installed, Path(folder) / "server") as socket:
            yield f"postgresql+asyncpg://postgres@/postgres?host={socket}"
