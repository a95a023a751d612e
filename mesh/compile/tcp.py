"""TCP proxying: what a filter chain does with bytes it does not read as HTTP."""

from __future__ import annotations

from envoy.config.listener.v3.listener_components_pb2 import Filter
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy

from mesh.compile import accesslog
from mesh.compile.pool import settings
from mesh.compile.rules import Rule
from mesh.envoy import filters
from mesh.model.service import Protocol
from mesh.resources.istio.destinationrule import LoadBalancer, TrafficPolicy
from mesh.resources.istio.meshconfig import MeshConfig


def to(cluster: str, config: MeshConfig, stat_prefix: str = "") -> Filter:
    """Everything to one cluster."""
    return _proxy(TcpProxy(stat_prefix=stat_prefix or cluster, cluster=cluster), config)


def to_service(cluster: str, protocol: Protocol, rule: Rule | None, config: MeshConfig) -> list[Filter]:
    """To a port of a service, as its DestinationRule says."""
    proxy = TcpProxy(stat_prefix=cluster, cluster=cluster)
    policy = (rule.spec.traffic_policy if rule else None) or TrafficPolicy()
    given = settings(policy.connection_pool)[1]
    if given.max_connection_duration is not None:
        proxy.max_downstream_connection_duration.FromTimedelta(given.max_connection_duration)
    if given.idle_timeout is not None:
        proxy.idle_timeout.FromTimedelta(given.idle_timeout)
    if _by_source(policy.load_balancer):
        proxy.hash_policy.add().source_ip.SetInParent()
    chain = [_proxy(proxy, config)]
    return [filters.mongo(cluster), *chain] if protocol is Protocol.MONGO else chain


def _by_source(balancer: LoadBalancer | None) -> bool:
    return bool(balancer and balancer.consistent_hash and balancer.consistent_hash.use_source_ip)


def _proxy(proxy: TcpProxy, config: MeshConfig) -> Filter:
    proxy.access_log.extend(accesslog.requests(config))
    return filters.network(filters.TCP_PROXY, proxy)
