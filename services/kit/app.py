"""What a service is to the kit, and what the kit is to a service.

A service's module `service` declares a `Service`; `life` opens it with an `App` to work with.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import cast

from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio
from structlog.typing import FilteringBoundLogger

from services.kit.call import Origin
from services.kit.channel import Channel
from services.kit.contract import contract_of
from services.kit.database import Database
from services.kit.settings import Settings
from services.kit.telemetry import Telemetry


class CannotStart(Exception):
    """The text says what is missing and what to do."""


@dataclass(frozen=True)
class App:
    """What a service gets to work with. `tasks` owns every task it starts; they are cancelled after the last call.
    `leaving` is set once this process takes no more calls: streams then end."""

    settings: Settings
    database: Database
    tasks: asyncio.TaskGroup
    origin: Origin
    telemetry: Telemetry
    log: FilteringBoundLogger
    leaving: asyncio.Event

    @asynccontextmanager
    async def channel(self, name: str, service: ServiceDescriptor) -> AsyncIterator[aio.Channel]:
        """A channel to another service, for its stub; to the address in <NAME>_ADDRESS. Raises CannotStart."""
        address = self.settings.addresses.get(name)
        if not address:
            raise CannotStart(f"{name.upper()}_ADDRESS is not set: give the host:port of the {name} service")
        channel = Channel(address, contract_of(service), self.origin, self.telemetry)
        try:
            yield cast(aio.Channel, channel)
        finally:
            await channel.close()


@dataclass(frozen=True)
class Service:
    """`package` has the migrations; `open` yields the servicer, and closes it after the last call."""

    package: str
    contract: ServiceDescriptor
    open: Callable[[App], AbstractAsyncContextManager[object]]
