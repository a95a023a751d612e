"""`kubectl port-forward`: connections to a pod's ports, carried as SPDY streams inside a websocket.

Each connection that kubectl accepts is two streams with one ``requestid``: ``data`` carries it, ``error``
says why it failed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from mesh.local.api import spdy
from mesh.local.api.answer import status
from mesh.local.api.service import Service
from mesh.local.api.target import target
from mesh.local.store import Object, Refused

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
PIECE = 64 * 1024


async def portforward(service: Service, socket: WebSocket) -> None:
    """Serves one websocket until either side ends it; what cannot begin is refused with a Status."""
    try:
        pod = _pod(service, socket)
    except Refused as refused:
        await socket.send_denial_response(status(refused))
        return
    await socket.accept(PROTOCOL)
    session = _Session(service, socket, pod)
    async with asyncio.TaskGroup() as group:
        try:
            await _serve(session, group)
        except (WebSocketDisconnect, TimeoutError, ValueError):
            pass  # kubectl left, the server stops, or what came was not SPDY: each is the end of this session
        finally:
            for stream in list(session.writers):
                session.end(stream)
            for task in session.tasks:
                task.cancel()


@dataclass
class _Session:
    """One kubectl: its open connections by data stream, and the error stream that goes with each request."""

    service: Service
    socket: WebSocket
    pod: Object
    spdy: spdy.Connection = field(default_factory=spdy.Connection)
    errors: dict[str, int] = field(default_factory=dict)
    writers: dict[int, asyncio.StreamWriter] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def end(self, stream: int) -> None:
        if writer := self.writers.pop(stream, None):
            writer.close()


def _pod(service: Service, socket: WebSocket) -> Object:
    about = target(socket.url.path)
    if about.kind.name != "Pod" or about.subresource != "portforward":
        raise Refused(404, "NotFound", f"no websocket is served at {socket.url.path}")
    if PROTOCOL not in socket.scope["subprotocols"] or service.ports is None:
        raise Refused(
            400, "BadRequest", f"ports are forwarded by {PROTOCOL} (kubectl 1.31 or later), and by a runner"
        )
    return service.store.get(about.key)


async def _serve(session: _Session, group: asyncio.TaskGroup) -> None:
    while True:
        async with session.service.streams.limit(None):
            content = await session.socket.receive_bytes()
        for event in session.spdy.receive(content):
            await _handle(session, event, group)


async def _handle(session: _Session, event: spdy.Event, group: asyncio.TaskGroup) -> None:
    match event:
        case spdy.Opened(stream, headers):
            await session.socket.send_bytes(session.spdy.accept(stream))
            request = headers.get("requestid", "")
            if headers.get("streamtype") == "error":
                session.errors[request] = stream
            else:
                await _open(session, stream, headers.get("port", ""), session.errors.pop(request, 0), group)
        case spdy.Data(stream, content, last) if writer := session.writers.get(stream):
            writer.write(content)
            await writer.drain()
            if last and writer.can_write_eof():
                writer.write_eof()
        case spdy.Reset(stream):
            session.end(stream)
        case spdy.Pinged(number):
            await session.socket.send_bytes(spdy.pong(number))


async def _open(session: _Session, stream: int, port: str, errors: int, group: asyncio.TaskGroup) -> None:
    assert session.service.ports is not None
    try:
        reader, writer = await session.service.ports.connect(session.pod, int(port))
    except (OSError, ValueError) as error:
        told = f"cannot connect to port {port} of {session.pod['metadata']['name']}: {error}"
        await session.socket.send_bytes(spdy.data(errors, told.encode(), last=True) + spdy.reset(stream))
        return
    session.writers[stream] = writer
    task = group.create_task(_copy(session, stream, reader, errors))
    session.tasks.add(task)
    task.add_done_callback(session.tasks.discard)


async def _copy(session: _Session, stream: int, reader: asyncio.StreamReader, errors: int) -> None:
    """From the pod to kubectl, until the pod's side ends."""
    try:
        while content := await reader.read(PIECE):
            await session.socket.send_bytes(spdy.data(stream, content))
        await session.socket.send_bytes(spdy.data(stream, b"", last=True) + spdy.data(errors, b"", last=True))
    except WebSocketDisconnect:
        return  # kubectl left: the session ends by itself
    except OSError as error:
        told = spdy.data(errors, str(error).encode(), last=True)
        await session.socket.send_bytes(told + spdy.reset(stream))
        session.end(stream)
