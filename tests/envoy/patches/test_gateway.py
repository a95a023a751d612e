"""A real Envoy as a gateway with the patches of an EnvoyFilter: it limits callers, and speaks JSON for a gRPC service."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from mesh.compile import Compiler
from mesh.envoy.patching import linked
from mesh.local.ports import Allocator
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Kind
from mesh.resources.object import parse
from mesh.xds.server import Server
from tests.envoy.running import envoy

MESH = Path(__file__).with_name("mesh.yaml")


@pytest.mark.envoy
async def test_a_gateway_limits_and_transcodes_as_it_is_patched(tmp_path: Path) -> None:
    async with running(tmp_path) as port:
        statuses = [(await ask(port, "GET", "/twice"))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        status, headers, body = await ask(
            port, "POST", "/grpc.health.v1.Health/Check", '{"service": "catalog"}'
        )
        assert (status, json.loads(body)) == (200, {"status": "SERVING"})
        assert headers["x-patched"] == "yes"
        assert (await ask(port, "POST", "/grpc.health.v1.Health/Check", '{"service": "x"}'))[0] == 404


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[int]:
    """The gateway's port, with a gRPC service behind it."""
    server, mesh = Server(), _mesh()
    gateway = next(w for w in mesh.workloads if w.kind is Kind.ROUTER)
    application = grpc.aio.server()
    servicer = health.HealthServicer()
    await servicer.set("catalog", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, application)
    behind = application.add_insecure_port("127.0.0.1:0")
    await application.start()
    with closing(Allocator()) as allocator:
        port = allocator.take()
        inbound = {(("shop", "catalog"), 50051): behind}
        placement = Placement(local=True, inbound=inbound, gateway={(gateway.key, 8080): port})
        snapshot, problems = Compiler(mesh, placement).compile(gateway)
        assert not problems
        async with server.serve(directory / "xds.sock"), envoy(directory, gateway.proxy_id):
            await server.publish(gateway.proxy_id, snapshot)
            await server.wait_accepted(gateway.proxy_id, snapshot.version, 20)
            yield port
    await application.stop(None)


def _mesh() -> Mesh:
    files = FileDescriptorSet()
    health_pb2.DESCRIPTOR.CopyToProto(files.file.add())
    descriptor = base64.b64encode(files.SerializeToString()).decode()
    objects, problems = parse(MESH.read_text().replace("DESCRIPTOR", descriptor), "mesh.yaml")
    mesh, more = linked(objects)
    assert not [*problems, *more]
    return mesh


async def ask(port: int, verb: str, path: str, body: str = "") -> tuple[int, dict[str, Any], str]:
    """Status, headers and body of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"host: api.example\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n"
    writer.write(f"{verb} {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
    top, _, content = (await asyncio.wait_for(reader.read(), 10)).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    first, *lines = top.splitlines()
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), content
