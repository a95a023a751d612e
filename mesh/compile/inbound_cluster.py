"""Clusters that lead to the application beside the proxy, and those for traffic that no service explains.

Source: istiod's buildInboundCluster, buildDefaultPassthroughCluster and buildBlackHoleCluster.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import BindConfig

from mesh.compile import pool, proxyheaders, upstream_protocol
from mesh.compile.cluster import connect_timeout
from mesh.compile.rules import Rule
from mesh.compile.served import Served
from mesh.compile.traffic import for_port, with_defaults
from mesh.compile.upstream_protocol import Spoken
from mesh.envoy import names
from mesh.envoy.address import LOOPBACK, address
from mesh.envoy.metadata import config_path, metadata
from mesh.model.service import Service
from mesh.resources.istio.destinationrule import ConnectionPool, HTTPSettings, TrafficPolicy
from mesh.resources.istio.meshconfig import InboundMode, MeshConfig

_IDLE = timedelta(minutes=5)
#: The largest that Istio gives, about 292 years: the application's address never goes away.
_NEVER = timedelta(seconds=9223372035)
#: What iptables recognises as the sidecar's own connections to its application.
_BIND = "127.0.0.6"


def inbound(served: Served, rule: Rule | None, config: MeshConfig, application: int | None) -> Cluster:
    """The application's port; ``application`` is where the process really listens, None where traffic is captured."""
    policy = _policy(served, rule, config)
    name = names.inbound(served.number)
    spoken = upstream_protocol.by_protocol(served.protocol, sidecar=True)
    spoken = upstream_protocol.final(spoken, policy.connection_pool)
    keeps_case = upstream_protocol.keeps_case(served.protocol, config)
    options = upstream_protocol.options(spoken, policy.connection_pool, keeps_case)
    cluster = Cluster(
        name=name,
        alt_stat_name=names.stat(name),
        connect_timeout=connect_timeout(policy, config),
        circuit_breakers=pool.circuit_breakers(policy.connection_pool, policy.retry_budget),
        upstream_connection_options=pool.keepalive(config.tcp_keepalive, policy.connection_pool),
        typed_extension_protocol_options=upstream_protocol.extensions(options),
        common_lb_config={},
        metadata=metadata(istio=_istio(served, rule)) if _is_told(served) else None,
    )
    if application is not None:
        _to_process(cluster, (LOOPBACK, application))
    elif endpoint := _endpoint(served, config):
        _to_process(cluster, endpoint)
        if endpoint[0] != LOOPBACK:
            cluster.upstream_bind_config.CopyFrom(_bind())
    else:
        _to_original_destination(cluster)
    return cluster


def black_hole(config: MeshConfig) -> Cluster:
    """Where requests go that may go nowhere."""
    name = names.BLACK_HOLE
    return Cluster(
        name=name,
        alt_stat_name=names.stat(name),
        type=Cluster.STATIC,
        connect_timeout=config.connect_timeout,
    )


def passthrough(config: MeshConfig) -> Cluster:
    """Where traffic to what the mesh does not know leaves as it came."""
    idle = ConnectionPool(http=HTTPSettings(idle_timeout=_IDLE))
    limits = config.default_traffic_policy.connection_pool
    keeps_case = proxyheaders.keeps_case(config.default_config.proxy_headers)
    return Cluster(
        name=names.PASSTHROUGH,
        alt_stat_name=names.stat(names.PASSTHROUGH),
        type=Cluster.ORIGINAL_DST,
        connect_timeout=connect_timeout(TrafficPolicy(connection_pool=limits), config),
        lb_policy=Cluster.CLUSTER_PROVIDED,
        circuit_breakers=pool.circuit_breakers(limits),
        upstream_connection_options=pool.keepalive(config.tcp_keepalive, limits),
        typed_extension_protocol_options=upstream_protocol.extensions(
            upstream_protocol.options(Spoken.AS_CALLED, idle, keeps_case)
        ),
    )


def inbound_passthrough(config: MeshConfig) -> Cluster:
    """The application's ports that no service names."""
    cluster = passthrough(config)
    cluster.name = names.INBOUND_PASSTHROUGH
    cluster.upstream_bind_config.CopyFrom(_bind())
    return cluster


def _policy(served: Served, rule: Rule | None, config: MeshConfig) -> TrafficPolicy:
    """Of a DestinationRule for the service itself only the connection pool holds on this side; a Sidecar's own comes first."""
    given = for_port(rule.spec.traffic_policy if rule else None, served.port.number)
    policy = with_defaults(given, config.default_traffic_policy)
    return replace(policy, connection_pool=served.pool) if served.pool else policy


def _endpoint(served: Served, config: MeshConfig) -> tuple[str, int] | None:
    if served.sidecar:
        return served.endpoint
    local = config.inbound_traffic_policy.mode is InboundMode.LOCALHOST
    return (LOOPBACK, served.number) if local else None


def _is_told(served: Served) -> bool:
    """Whether services are named: not where the first is outside the mesh, though a ServiceEntry selects the pod."""
    return served.service is not None and not served.service.external


def _istio(served: Served, rule: Rule | None) -> dict[str, object]:
    found: dict[str, object] = {"services": _services(served)}
    if rule and rule.spec.traffic_policy:
        found["config"] = config_path("destination-rule", rule.namespace, rule.name)
    return found


def _services(served: Served) -> list[dict[str, str]]:
    """Every service that reaches the port under the number that the first one gives it."""
    same = {s.hostname: _describe(s) for s, port in served.targets if port.number == served.port.number}
    return list(same.values())


def _describe(service: Service) -> dict[str, str]:
    return {"host": service.hostname, "name": service.name, "namespace": service.namespace}


def _to_original_destination(cluster: Cluster) -> None:
    cluster.type = Cluster.ORIGINAL_DST
    cluster.lb_policy = Cluster.CLUSTER_PROVIDED
    cluster.cleanup_interval.FromTimedelta(_NEVER)
    cluster.upstream_bind_config.CopyFrom(_bind())


def _to_process(cluster: Cluster, endpoint: tuple[str, int]) -> None:
    cluster.type = Cluster.STATIC
    cluster.load_assignment.cluster_name = cluster.name
    only = cluster.load_assignment.endpoints.add().lb_endpoints.add()
    only.endpoint.address.CopyFrom(address(*endpoint))


def _bind() -> BindConfig:
    return BindConfig(source_address={"address": _BIND, "port_value": 0})
