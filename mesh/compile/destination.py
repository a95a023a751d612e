"""Where a route leads: one cluster, or several by weight; and copies to a mirror.

Source: istiod's GetDestinationCluster, processDestination and processWeightedDestination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from envoy.config.route.v3.route_components_pb2 import Route, RouteAction, WeightedCluster

from mesh.compile.hashing import for_destination, hash_policy
from mesh.compile.headers import operations
from mesh.compile.percent import hundredths, millionths
from mesh.compile.scope import Scope
from mesh.envoy import names
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import HTTPRoute, Percent, RouteDestination


@dataclass(frozen=True, eq=False)
class Resolver:
    """Destinations seen from one scope, for requests to one port."""

    scope: Scope
    port: int
    config: MeshConfig
    gateway: bool = False
    tls: bool = False

    def cluster(self, destination: Destination) -> str:
        """The port is the destination's own, else the one that was called; at a gateway, or behind a proxy for every port,
        first the only one that the service has."""
        number = destination.port.number if destination.port else self._default(destination)
        return names.outbound(number, destination.subset, destination.host)

    def _default(self, destination: Destination) -> int:
        anywhere = self.gateway or not self.port
        service = self.scope.service(destination.host) if anywhere else None
        return service.ports[0].number if service and len(service.ports) == 1 else self.port

    def hashed(self, destination: Destination) -> bool:
        return for_destination(self.scope.rule(destination.host), destination) is not None

    def hash_policy(self, destination: Destination) -> list[RouteAction.HashPolicy]:
        return hash_policy(for_destination(self.scope.rule(destination.host), destination))


def apply_single(route: Route, target: RouteDestination, resolver: Resolver) -> None:
    """All requests to one destination; its headers come after the route's own."""
    route.route.cluster = resolver.cluster(target.destination)
    route.route.hash_policy.extend(resolver.hash_policy(target.destination))
    said = operations(target.headers)
    route.request_headers_to_add.extend(said.request_add)
    route.request_headers_to_remove.extend(said.request_remove)
    route.response_headers_to_add.extend(said.response_add)
    route.response_headers_to_remove.extend(said.response_remove)
    if said.authority and not route.route.HasField("host_rewrite_literal"):
        route.route.host_rewrite_literal = said.authority


def apply_weighted(route: Route, targets: Sequence[RouteDestination], resolver: Resolver) -> None:
    """Shares by weight; a destination of weight 0 is none."""
    route.route.weighted_clusters.SetInParent()
    for target in targets:
        if target.weight:
            route.route.weighted_clusters.clusters.append(_share(target, resolver))
            route.route.hash_policy.extend(resolver.hash_policy(target.destination))


def apply_mirrors(route: Route, given: HTTPRoute, resolver: Resolver) -> None:
    """Copies of a share of the requests; all of them when no share is said, none when it is 0."""
    if given.mirror is not None:
        older = given.mirror_percent if given.mirror_percent is not None else given.mirror_percent_
        percent = older if given.mirror_percentage is None else None
        _mirror(route, given.mirror, given.mirror_percentage, percent, resolver)
    for each in given.mirrors:
        _mirror(route, each.destination, each.percentage, None, resolver)


def _mirror(
    route: Route, to: Destination, share: Percent | None, percent: int | None, resolver: Resolver
) -> None:
    if (share is not None and share.value <= 0) or percent == 0:
        return
    fraction = millionths(share) if share else hundredths(100 if percent is None else percent)
    route.route.request_mirror_policies.add(
        cluster=resolver.cluster(to),
        runtime_fraction={"default_value": fraction},
        trace_sampled={"value": False},
        disable_shadow_host_suffix_append=True,
    )


def _share(target: RouteDestination, resolver: Resolver) -> WeightedCluster.ClusterWeight:
    said = operations(target.headers)
    made = WeightedCluster.ClusterWeight(
        name=resolver.cluster(target.destination), weight={"value": target.weight}, **said.fields()
    )
    if said.authority:
        made.host_rewrite_literal = said.authority
    return made
