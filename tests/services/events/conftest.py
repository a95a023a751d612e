"""Two databases a test; brokers, where they are installed, once for all."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.services.events.brokers.kafka import KafkaServer
from tests.services.events.brokers.nats import NatsServer
from tests.services.events.brokers.process import SMALL, Server
from tests.services.events.brokers.rabbitmq import RabbitMqServer
from tests.services.events.world import World, world

BROKERS: Mapping[str, type[NatsServer | RabbitMqServer | KafkaServer]] = {
    "kafka": KafkaServer,
    "nats": NatsServer,
    "rabbitmq": RabbitMqServer,
}
EVERY = [
    "nats",
    *(pytest.param(name, marks=pytest.mark.xdist_group("brokers")) for name in BROKERS if name != "nats"),
]
"""For tests of every broker. All but NATS run on one worker, so that each is started once."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers() -> AsyncIterator[dict[str, Server]]:
    """Those that tests have asked for, by name."""
    servers: dict[str, Server] = {}
    yield servers
    for server in servers.values():
        await server.end()


@pytest_asyncio.fixture
async def server(
    request: pytest.FixtureRequest, servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """A broker that runs; NATS unless the test says which."""
    name = getattr(request, "param", "nats")
    if missing := BROKERS[name].missing:
        pytest.skip(missing)
    if name not in servers:
        servers[name] = BROKERS[name](tmp_path_factory.mktemp(name))
    server = servers[name]
    await server.start()
    yield server
    if server.largest != SMALL:
        server.largest = SMALL
        await server.stop()


@pytest_asyncio.fixture
async def shop(server: Server, tmp_path: Path) -> AsyncIterator[World]:
    """Both databases are SQLite."""
    databases = (f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("telling", "hearing"))
    async with world(server, *databases) as shop:
        yield shop


@pytest_asyncio.fixture
async def shop_on_postgres(server: Server, postgres_url: str) -> AsyncIterator[World]:
    """Both sides share one database, each with tables of its own."""
    async with world(server, postgres_url, postgres_url) as shop:
        yield shop
        await shop.clear()
