"""The storefront as a real process before the shop's, and clients of it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
import pytest_asyncio

from tests.services.conftest import Shop
from tests.services.process import PATIENCE, Process

ORIGIN = "https://pages.example"


@dataclass
class Storefront(Process):
    """A process that is asked over HTTP whether it is ready."""

    async def ready(self) -> None:
        async with asyncio.timeout(PATIENCE), self.client() as client:
            while True:
                if (await client.get("/readyz")).status_code == 200:
                    return
                await asyncio.sleep(0.02)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://{self.address}", timeout=PATIENCE)


def beside(
    shop: Shop, folder: Path, env: Mapping[str, str] = MappingProxyType({}), name: str = "storefront"
) -> Storefront:
    """One that calls the shop's services, not started yet."""
    addresses = {f"{each.name.upper()}_ADDRESS": each.address for each in (*shop.behind, shop.orders)}
    return Storefront(name, folder, {**addresses, "CORS_ORIGINS": ORIGIN, "GUESTS": "true", **env})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def storefront(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storefront]:
    process = beside(shop, tmp_path_factory.mktemp("storefront"))
    await process.start()
    await process.ready()
    yield process
    assert await process.stop() == 0, process.log.read_text()


@pytest_asyncio.fixture(loop_scope="session")
async def web(storefront: Storefront) -> AsyncIterator[httpx.AsyncClient]:
    async with storefront.client() as client:
        yield client
