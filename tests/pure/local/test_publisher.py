"""What a proxy is sent: only what is whole."""

from __future__ import annotations

import logging

import pytest
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.envoy.snapshot import Snapshot
from mesh.local.publisher import offer
from mesh.model.identity import Identity
from mesh.model.service import Workload
from mesh.xds.server import Server

CATALOG = Workload("catalog-v1-0", "shop", "catalog-v1", Identity("shop", "catalog"), "10.1.0.1")
WHOLE = Snapshot(routes={"80": RouteConfiguration(name="80")})
LOST = Snapshot(
    routes={
        "80": RouteConfiguration(
            name="80",
            virtual_hosts=[{"name": "orders", "routes": [{"route": {"cluster": "orders"}}]}],
        )
    }
)


async def test_a_proxy_keeps_the_last_whole_configuration(caplog: pytest.LogCaptureFixture) -> None:
    server = Server()
    assert await offer(server, CATALOG, WHOLE) == []
    with caplog.at_level(logging.ERROR):
        (said,) = await offer(server, CATALOG, LOST)
    assert (
        said
        == caplog.messages[0]
        == (
            "catalog-v1-0 keeps the configuration that it has: route configuration '80', host 'orders' names the"
            " cluster 'orders', which the snapshot does not have"
        )
    )
    assert server.status(CATALOG.proxy_id).version == WHOLE.version
    assert await offer(server, CATALOG, Snapshot()) == []
    assert server.status(CATALOG.proxy_id).version == Snapshot().version
