"""A client of graphql-transport-ws: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, RejectConnection, Request, TextMessage

PROTOCOL = "graphql-transport-ws"


class Refused(Exception):
    """The handshake was, or the socket was closed."""


class Socket:
    """Open, and not yet initialised."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._events: list[Any] = []

    async def tell(self, event: Any) -> None:
        self._writer.write(self._connection.send(event))
        await self._writer.drain()

    async def hear(self) -> Any:
        while not self._events:
            self._connection.receive_data(await self._reader.read(65536) or None)
            self._events = list(self._connection.events())
        event = self._events.pop(0)
        if isinstance(event, (CloseConnection, RejectConnection)):
            raise Refused(event)
        return event

    async def send(self, **message: Any) -> None:
        await self.tell(Message(data=json.dumps(message)))

    async def receive(self) -> dict[str, Any]:
        text = ""
        while isinstance(event := await self.hear(), TextMessage):
            text += event.data
            if event.message_finished:
                break
        found: dict[str, Any] = json.loads(text)
        return found

    async def results(self, query: str, **variables: Any) -> list[dict[str, Any]]:
        """Those of one operation, until it is complete."""
        await self.send(type="subscribe", id="1", payload={"query": query, "variables": variables})
        found = []
        while (message := await self.receive())["type"] == "next":
            found.append(message["payload"])
        if message["type"] == "error":
            return [{"errors": message["payload"]}]
        assert message["type"] == "complete", message
        return found


@asynccontextmanager
async def connected(address: str, headers: Mapping[str, str] = MappingProxyType({})) -> AsyncIterator[Socket]:
    """A socket that has been acknowledged. Raises Refused."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        socket = Socket(reader, writer)
        more = [(name.encode(), value.encode()) for name, value in headers.items()]
        await socket.tell(
            Request(host=address, target="/graphql", subprotocols=[PROTOCOL], extra_headers=more)
        )
        accepted = await socket.hear()
        assert isinstance(accepted, AcceptConnection)
        assert accepted.subprotocol == PROTOCOL
        await socket.send(type="connection_init")
        assert (await socket.receive())["type"] == "connection_ack"
        yield socket
    finally:
        writer.close()
