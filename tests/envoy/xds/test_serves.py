"""A real Envoy gets its configuration, follows changes, says what it refuses, and outlives the server."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.service.discovery.v3.ads_pb2_grpc import AggregatedDiscoveryServiceStub
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest

from mesh.envoy.resource import CLUSTER
from mesh.envoy.snapshot import Snapshot
from mesh.xds.server import Rejected, Server
from tests.envoy.running import Envoy, application, call, envoy
from tests.envoy.xds.config import caller

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


async def test_what_it_refuses_is_reported_and_the_old_keeps_serving(
    scene: tuple[Server, Envoy], ports: tuple[int, int]
) -> None:
    server, proxy = scene
    b, c = ports
    good = caller(b=b)
    await _accept(server, good)
    port = await proxy.port("out")
    bad = caller(c=c, route="c")
    broken = Cluster(name="d", type=Cluster.EDS, lb_policy=Cluster.RING_HASH)
    broken.ring_hash_lb_config.minimum_ring_size.value = 2**60
    await server.publish(A, replace(bad, clusters={**bad.clusters, "d": broken}))
    with pytest.raises(Rejected, match=r"(?s)rejected version .*MinimumRingSize"):
        await server.wait_accepted(A, "", 20)
    status = server.status(A)
    assert not status.acked
    assert status.rejected
    assert await call(port) == "b"
    await _accept(server, bad)
    assert server.status(A).rejected is None
    assert await call(port) == "c"


async def test_a_proxy_that_nothing_was_published_for_waits(
    scene: tuple[Server, Envoy], ports: tuple[int, int]
) -> None:
    server, _ = scene
    with pytest.raises(TimeoutError, match=r"has not accepted v in 0\.1 s"):
        await server.wait_accepted(A, "v", 0.1)
    await _accept(server, caller(b=ports[0]))


async def test_a_server_that_is_back_on_its_socket_goes_on_without_a_gap(
    tmp_path: Path, ports: tuple[int, int]
) -> None:
    b, c = ports
    first, second = Server(), Server()
    async with AsyncExitStack() as stack:
        async with first.serve(tmp_path / "xds.sock"):
            proxy = await stack.enter_async_context(envoy(tmp_path, A))
            await _accept(first, caller(b=b))
            port = await proxy.port("out")
        load = asyncio.create_task(_call_until(port, "c"))
        await stack.enter_async_context(second.serve(tmp_path / "xds.sock"))
        await _accept(second, caller(b=b))
        assert await proxy.counter("cluster_manager.cluster_modified") == 0
        await _accept(second, caller(c=c, route="c"))
        assert await load > 0


async def test_a_server_that_was_away_for_long_is_found_at_once(tmp_path: Path) -> None:
    # Envoy's own back-off would by then try every 16 s.
    async with AsyncExitStack() as stack:
        async with Server().serve(tmp_path / "xds.sock"):
            proxy = await stack.enter_async_context(envoy(tmp_path, A))
            await _until(proxy, r"control_plane\.connected_state", 1)
        await _until(proxy, r"cluster\.xds-grpc\.upstream_cx_connect_fail", 10)
        back = Server()
        await stack.enter_async_context(back.serve(tmp_path / "xds.sock"))
        await back.publish(A, Snapshot())
        await back.wait_accepted(A, "", 2)


async def _until(proxy: Envoy, counter: str, least: int) -> None:
    """Wait until the proxy runs and has counted so much."""
    async with asyncio.timeout(20):
        while not proxy.admin.exists() or await proxy.counter(counter) < least:  # noqa: ASYNC110 - of Envoy
            await asyncio.sleep(0.05)


async def _call_until(port: int, name: str) -> int:
    """Call until ``name`` answers, every call must succeed; how many others answered before."""
    async with asyncio.timeout(20):
        others = 0
        while await call(port) != name:
            others += 1
        return others


async def test_only_its_owner_can_connect(tmp_path: Path) -> None:
    async with Server().serve(tmp_path / "xds.sock"):
        assert stat.S_IMODE((tmp_path / "xds.sock").stat().st_mode) == 0o600


async def test_a_proxy_without_a_name_is_told_so(tmp_path: Path) -> None:
    async with (
        Server().serve(tmp_path / "xds.sock"),
        grpc.aio.insecure_channel(f"unix:{tmp_path}/xds.sock") as channel,
    ):
        stream = AggregatedDiscoveryServiceStub(channel).DeltaAggregatedResources()
        await stream.write(DeltaDiscoveryRequest(type_url=CLUSTER))
        assert await stream.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "node.id" in await stream.details()
