"""Real Envoys and a real gRPC application, each ended with the context that started it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from mesh.envoy.bootstrap import arguments, bootstrap, envoy_binary

METHOD = "/shop.test.v1.EchoService/Echo"


@dataclass(frozen=True)
class Envoy:
    """One running Envoy, asked over its admin socket."""

    proxy_id: str
    admin: Path

    async def get(self, path: str) -> Any:
        """An admin page that is JSON."""
        reader, writer = await asyncio.open_unix_connection(str(self.admin))
        writer.write(f"GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return json.loads(_unchunked(body) if b"chunked" in head else body)

    async def port(self, listener: str) -> int:
        """The port that a listener was given."""
        statuses = (await self.get("/listeners?format=json"))["listener_statuses"]
        (found,) = [s for s in statuses if s["name"] == listener]
        return int(found["local_address"]["socket_address"]["port_value"])

    async def counter(self, name: str) -> int:
        """A statistic's value; 0 when it was never counted."""
        stats = (await self.get(f"/stats?format=json&filter=^{name}$"))["stats"]
        return sum(stat["value"] for stat in stats if "value" in stat)


def _unchunked(body: bytes) -> bytes:
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        parts.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return b"".join(parts)


@asynccontextmanager
async def envoy(directory: Path, proxy_id: str, *, delta: bool = True) -> AsyncIterator[Envoy]:
    """Run an Envoy whose control plane is the socket ``xds.sock`` in the directory."""
    name = proxy_id.split("~")[2]
    node = {"id": proxy_id, "cluster": name}
    config = bootstrap(node, socket="xds.sock", admin_socket=f"{name}.sock", delta=delta)
    path = directory / f"{name}.json"
    path.write_text(json.dumps(config))
    with (directory / f"{name}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            envoy_binary(), *arguments(path), cwd=directory, stdout=log, stderr=log
        )
    try:
        yield Envoy(proxy_id, directory / f"{name}.sock")
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 10)


@asynccontextmanager
async def application(name: str) -> AsyncIterator[int]:
    """Run a server that answers every call with its name; yields its port."""

    async def answer(request: bytes, context: Any) -> bytes:
        return name.encode()

    server = grpc.aio.server()
    service, method = METHOD.strip("/").split("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)


async def call(port: int) -> str:
    """Call through a port of 127.0.0.1 over a new connection; who answered. Raises grpc.aio.AioRpcError."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer: bytes = await channel.unary_unary(METHOD)(b"", timeout=5)
        return answer.decode()
