"""Proxies that hold and acknowledge what they are sent, by delta ADS, and count it: many in one process, without an Envoy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.service.discovery.v3.discovery_pb2 import DeltaDiscoveryRequest, DeltaDiscoveryResponse
from google.protobuf.json_format import ParseDict

from mesh.envoy.rds import route_names
from mesh.envoy.resource import CLUSTER, ENDPOINT, LISTENER, ROUTE

_AGAIN = 0.5
_METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"


class Fleet:
    """``received`` bytes, in ``answers`` messages, the last of which was acknowledged at ``last`` (monotonic seconds); ``broken`` streams."""

    def __init__(self) -> None:
        self.received = 0
        self.answers = 0
        self.last = 0.0
        self.broken = 0
        self.touched: set[str] = set()

    def reset(self) -> None:
        self.received = self.answers = 0
        self.touched.clear()

    async def quiet(self, seconds: float, most: float) -> None:
        """Wait until something has come, and then nothing for so long."""
        end = time.monotonic() + most
        while time.monotonic() < end:
            await asyncio.sleep(seconds / 5)
            if self.answers and time.monotonic() - self.last > seconds:
                return


@asynccontextmanager
async def connected(target: str, nodes: Iterable[Mapping[str, Any]], fleet: Fleet) -> AsyncIterator[None]:
    """Every node has a stream of its own while the context lasts; a hundred of them share a connection."""
    tasks: list[asyncio.Task[None]] = []
    channels: list[grpc.aio.Channel] = []
    for i, node in enumerate(nodes):
        if i % 100 == 0:
            options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
            channels.append(grpc.aio.insecure_channel(target, options))
        tasks.append(asyncio.create_task(_proxy(channels[-1], node, fleet)))
    yield
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise RuntimeError(f"a proxy's stream ended: {ended!r}")
    for channel in channels:
        await channel.close()


async def _proxy(channel: grpc.aio.Channel, node: Mapping[str, Any], fleet: Fleet) -> None:
    """As an Envoy does, it connects again when its stream breaks."""
    while True:
        try:
            await _streamed(channel, node, fleet)
        except grpc.aio.AioRpcError:
            fleet.broken += 1
            await asyncio.sleep(_AGAIN)


async def _streamed(channel: grpc.aio.Channel, node: Mapping[str, Any], fleet: Fleet) -> None:
    open_stream = channel.stream_stream(
        _METHOD,
        request_serializer=DeltaDiscoveryRequest.SerializeToString,
        response_deserializer=lambda data: (len(data), DeltaDiscoveryResponse.FromString(data)),
    )
    stream = open_stream(wait_for_ready=True)
    first = DeltaDiscoveryRequest(type_url=CLUSTER)
    ParseDict(dict(node), first.node)
    await stream.write(first)
    await stream.write(DeltaDiscoveryRequest(type_url=LISTENER))
    known: dict[str, set[str]] = {ENDPOINT: set(), ROUTE: set()}
    async for size, answer in stream:
        await stream.write(DeltaDiscoveryRequest(type_url=answer.type_url, response_nonce=answer.nonce))
        await _subscribe(stream, known, answer)
        fleet.received += size
        fleet.answers += 1
        fleet.touched.add(node["id"])
        fleet.last = time.monotonic()


async def _subscribe(stream: Any, known: dict[str, set[str]], answer: Any) -> None:
    """Ask for what new clusters and listeners need."""
    if answer.type_url not in (CLUSTER, LISTENER):
        return
    child = ENDPOINT if answer.type_url == CLUSTER else ROUTE
    names = {name for each in answer.resources for name in _needed(each.resource)} - known[child]
    if names:
        known[child] |= names
        await stream.write(DeltaDiscoveryRequest(type_url=child, resource_names_subscribe=sorted(names)))


def _needed(resource: Any) -> Iterable[str]:
    if resource.Is(Cluster.DESCRIPTOR):
        cluster = Cluster.FromString(resource.value)
        return (
            [cluster.eds_cluster_config.service_name or cluster.name] if cluster.type == Cluster.EDS else []
        )
    return route_names([Listener.FromString(resource.value)])
