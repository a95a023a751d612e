"""The parts of one proxy's configuration after the patches of EnvoyFilters. What no patch touches stays the message that proxies share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile import patch_cluster, patch_listener, patch_route
from mesh.compile.gateway import Server
from mesh.compile.patch import Patches
from mesh.compile.patch_listener import Place
from mesh.resources.istio.envoyfilter import ApplyTo, PatchContext

#: A listener, and how it is named where traffic is captured.
Placed = tuple[Listener, Place]


class Patcher:
    """Applies the patches of one proxy, each resource only once: a memo for proxies that share what they are made of."""

    def __init__(self, patches: Patches, gateway: bool) -> None:
        self._patches = patches
        self._gateway = gateway
        self._out = PatchContext.GATEWAY if gateway else PatchContext.SIDECAR_OUTBOUND
        self._memo: dict[tuple[int, Place], tuple[Listener, Listener | None]] = {}
        self._clusters: dict[int, tuple[Cluster, Cluster | None]] = {}

    @property
    def key(self) -> int:
        """Equal for those with the same patches of routes."""
        return id(self) if self._patches.any_of(*patch_route.TARGETS) else 0

    def clusters(
        self, outbound: Iterable[Cluster], inbound: Iterable[tuple[Cluster, Sequence[str]]]
    ) -> Iterator[Cluster]:
        if not self._patches.any_of(ApplyTo.CLUSTER):
            yield from outbound
            yield from (cluster for cluster, _ in inbound)
            return
        yield from (made for each in outbound if (made := self._cluster(each)))
        yield from patch_cluster.added(self._patches, self._out)
        side = PatchContext.SIDECAR_INBOUND
        for each, hosts in inbound:
            if made := patch_cluster.patched(each, self._patches, side, hosts):
                yield made
        if not self._gateway:
            yield from patch_cluster.added(self._patches, side)

    def _cluster(self, given: Cluster) -> Cluster | None:
        if id(given) not in self._clusters:
            self._clusters[id(given)] = given, patch_cluster.patched(given, self._patches, self._out)
        return self._clusters[id(given)][1]

    def listeners(self, given: Iterable[Placed]) -> Iterator[Listener]:
        if not self._patches.any_of(*patch_listener.TARGETS, *patch_route.TARGETS):
            yield from (listener for listener, _ in given)
            return
        yield from (made for each in given if (made := self._listener(*each)))
        yield from patch_listener.added(self._patches, self._out)
        if not self._gateway:
            yield from patch_listener.added(self._patches, PatchContext.SIDECAR_INBOUND)

    def _listener(self, given: Listener, where: Place) -> Listener | None:
        key = id(given), where
        if key not in self._memo:
            side = patch_listener.context(given, self._gateway)
            self._memo[key] = given, patch_listener.patched(given, where, self._patches, side)
        return self._memo[key][1]

    def routes(
        self, given: RouteConfiguration, servers: Mapping[str, Iterable[Server]] | None = None
    ) -> RouteConfiguration:
        """``servers`` are a gateway's, by the names of its route configurations."""
        if not self._patches.any_of(*patch_route.TARGETS):
            return given
        side = patch_route.Side(self._out, patch_route.numbers(servers or {}))
        return patch_route.patched(given, self._patches, side)
