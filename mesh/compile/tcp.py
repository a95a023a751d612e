"""TCP proxying: what a filter chain does with bytes it does not read as HTTP.

Source: pilot/pkg/networking/core/networkfilter.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.listener.v3.listener_components_pb2 import Filter
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy

from mesh.compile.pool import settings
from mesh.compile.rules import Rule
from mesh.compile.scope import Scope
from mesh.compile.side import Side
from mesh.compile.traffic import find_subset
from mesh.envoy import filters, names
from mesh.model.mesh import Config
from mesh.model.service import Protocol, Service
from mesh.resources.istio.destinationrule import TrafficPolicy, Tunnel
from mesh.resources.istio.l4route import L4Destination
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import VirtualServiceSpec


def to(cluster: str, side: Side | None, stat_prefix: str = "") -> Filter:
    """Everything to one cluster; without a side nothing is logged."""
    return _proxy(TcpProxy(stat_prefix=stat_prefix or cluster, cluster=cluster), side)


def to_service(cluster: str, protocol: Protocol, rule: Rule | None, side: Side) -> list[Filter]:
    """To a port of a service, as its DestinationRule says."""
    return _single(cluster, "", protocol, rule, side)


def passed(cluster: str, subset: str, protocol: Protocol, rule: Rule | None, side: Side) -> list[Filter]:
    """To a cluster that takes TLS as it is: nothing is tunnelled."""
    return _single(cluster, subset, protocol, rule, side, tunnelled=False)


def to_route(
    route: Sequence[L4Destination],
    port: int,
    protocol: Protocol,
    virtual_service: Config[VirtualServiceSpec],
    scope: Scope,
    side: Side,
) -> list[Filter]:
    """To the destinations of a VirtualService's route; its first one's DestinationRule holds for all."""
    first = scope.service(route[0].destination.host)
    rule = scope.rule(first.hostname) if first else None
    if len(route) == 1:
        target = route[0].destination
        return _single(cluster_of(target, first, port), target.subset, protocol, rule, side)
    stat_prefix = f"{virtual_service.name}.{virtual_service.namespace}"
    proxy = _described(TcpProxy(stat_prefix=stat_prefix), rule, "")
    for each in route:
        if each.weight > 0:
            name = cluster_of(each.destination, scope.service(each.destination.host), port)
            proxy.weighted_clusters.clusters.add(name=name, weight=each.weight)
    return _stack(protocol, stat_prefix, _proxy(proxy, side))


def cluster_of(destination: Destination, service: Service | None, port: int) -> str:
    """The destination's own port, else the only one that the service has, else the one that was called."""
    if destination.port:
        port = destination.port.number
    elif service and len(service.ports) == 1:
        port = service.ports[0].number
    return names.outbound(port, destination.subset, destination.host)


def _single(
    cluster: str, subset: str, protocol: Protocol, rule: Rule | None, side: Side, tunnelled: bool = True
) -> list[Filter]:
    proxy = _described(TcpProxy(stat_prefix=cluster, cluster=cluster), rule, subset, tunnelled)
    return _stack(protocol, cluster, _proxy(proxy, side))


def _described(proxy: TcpProxy, rule: Rule | None, subset: str, tunnelled: bool = True) -> TcpProxy:
    """With what the rule says of connections; of a subset only what it hashes by and where it tunnels."""
    whole = (rule.spec.traffic_policy if rule else None) or TrafficPolicy()
    given = settings(whole.connection_pool)[1]
    if given.max_connection_duration is not None:
        proxy.max_downstream_connection_duration.FromTimedelta(given.max_connection_duration)
    if given.idle_timeout is not None:
        proxy.idle_timeout.FromTimedelta(given.idle_timeout)
    found = find_subset(rule.spec if rule else None, subset)
    own = (found.traffic_policy if found else None) or TrafficPolicy()
    balancer = own.load_balancer or whole.load_balancer
    if balancer and balancer.consistent_hash and balancer.consistent_hash.use_source_ip:
        proxy.hash_policy.add().source_ip.SetInParent()
    if tunnelled:
        _tunnel(proxy, own.tunnel if subset else whole.tunnel)
    return proxy


def _tunnel(proxy: TcpProxy, given: Tunnel | None) -> None:
    if given is None:
        return
    host = f"[{given.target_host}]" if ":" in given.target_host else given.target_host
    proxy.tunneling_config.hostname = f"{host}:{given.target_port}"
    proxy.tunneling_config.use_post = given.protocol == "POST"


def _stack(protocol: Protocol, stat_prefix: str, proxy: Filter) -> list[Filter]:
    return [filters.mongo(stat_prefix), proxy] if protocol is Protocol.MONGO else [proxy]


def _proxy(proxy: TcpProxy, side: Side | None) -> Filter:
    proxy.access_log.extend(side.connections if side else ())
    if side and side.counted:
        proxy.access_log_options.flush_access_log_on_connected = True
    return filters.network(filters.TCP_PROXY, proxy)
