"""One proxy as the server knows it: what it is to hold, the streams it has open, and whether it has accepted.

Used by Server. Each stream's updates go into its outbox, which the gRPC handler empties.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from mesh.xds.desired import Desired
from mesh.xds.stream import Stream
from mesh.xds.topic import Request, Update


class Service(Enum):
    """Which discovery service a stream belongs to."""

    ADS = auto()
    SDS = auto()


@dataclass(frozen=True)
class ProxyStatus:
    """``acked``: the proxy holds ``version`` (what was last published, "" before) and has said so.

    ``rejected`` is why it refused something of the last state or its secrets, in Envoy's words.
    """

    acked: bool = False
    version: str = ""
    rejected: str | None = None
    connected: bool = False


@dataclass(eq=False)
class Connection:
    """One open stream: the state machine and the updates that are still to be written."""

    service: Service
    stream: Stream = field(default_factory=Stream)
    outbox: asyncio.Queue[Update] = field(default_factory=asyncio.Queue)

    def put(self, updates: list[Update]) -> None:
        """Queue updates. The outbox stays short by itself: of each type one update is in flight."""
        for update in updates:
            self.outbox.put_nowait(update)


class Proxy:
    """All that belongs to one node id. Methods never block; ``changed`` wakes those who wait for a status."""

    def __init__(self) -> None:
        self._desired: dict[Service, Desired] = {}
        self._connections: list[Connection] = []
        self._changed = asyncio.Event()

    def publish(self, service: Service, desired: Desired | None) -> None:
        """Aim every open and later stream of a service at a state, or with None at nothing."""
        if desired is None:
            self._desired.pop(service, None)
        else:
            self._desired[service] = desired
        for connection in self._connections:
            if connection.service is service:
                connection.put(connection.stream.publish(desired))
        self._notify()

    def open(self, connection: Connection) -> None:
        """A stream of this proxy has begun."""
        self._connections.append(connection)
        connection.put(connection.stream.publish(self._desired.get(connection.service)))
        self._notify()

    def receive(self, connection: Connection, request: Request) -> None:
        """The proxy said something on one of its streams."""
        connection.put(connection.stream.receive(request))
        self._notify()

    def close(self, connection: Connection) -> None:
        """A stream of this proxy has ended."""
        self._connections.remove(connection)
        self._notify()

    @property
    def unused(self) -> bool:
        """Nothing is published for it and it has no stream."""
        return not self._desired and not self._connections

    @property
    def status(self) -> ProxyStatus:
        """Where the proxy stands now."""
        configured = [c.stream for c in self._connections if c.service is Service.ADS]
        reasons = [c.stream.rejected for c in self._connections]
        desired = self._desired.get(Service.ADS)
        return ProxyStatus(
            acked=any(stream.accepted for stream in configured),
            version=desired.version if desired else "",
            rejected="; ".join(dict.fromkeys(reason for reason in reasons if reason)) or None,
            connected=bool(configured),
        )

    async def change(self) -> None:
        """Return when something about the proxy may have changed."""
        await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
