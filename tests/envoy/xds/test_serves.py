"""A real Envoy gets its configuration, follows changes, says what it refuses, and outlives the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.envoy.snapshot import Snapshot
from mesh.xds.server import Rejected, Server
from tests.envoy.xds.config import caller
from tests.envoy.xds.running import Envoy, application, call, envoy

pytestmark = pytest.mark.envoy

A = "sidecar~10.1.0.1~a-0.shop~shop.svc.cluster.local"


async def _accept(server: Server, snapshot: Snapshot) -> None:
    await server.publish(A, snapshot)
    status = await server.wait_accepted(A, snapshot.version, 20)
    assert status.version == snapshot.version


@pytest.fixture
async def ports() -> AsyncIterator[tuple[int, int]]:
    """Two applications, `b` and `c`."""
    async with application("b") as b, application("c") as c:
        yield b, c


@pytest.fixture(params=["delta", "state of the world"])
async def scene(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[tuple[Server, Envoy]]:
    server = Server()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server.serve(tmp_path / "xds.sock"))
        yield server, await stack.enter_async_context(envoy(tmp_path, A, delta=request.param == "delta"))


async def test_it_is_configured_and_follows_every_change(
    scene: tuple[Server, Envoy], ports: tuple[int, int]
) -> None:
    server, proxy = scene
    b, c = ports
    await _accept(server, caller(b=b))
    port = await proxy.port("out")
    assert await call(port) == "b"
    await _accept(server, caller(b=b, c=c, route="c"))
    assert await call(port) == "c"
    await _accept(server, caller(c=c, route="c"))
    assert await call(port) == "c"
    await _accept(server, caller(c=b, route="c"))
    assert await call(port) == "b"
