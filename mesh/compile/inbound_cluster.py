"""Clusters that lead to the application beside the proxy, and those for traffic that no service explains.

Source: istiod's buildInboundCluster, buildDefaultPassthroughCluster and buildBlackHoleCluster.
"""

from __future__ import annotations

from datetime import timedelta

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.address_pb2 import BindConfig

from mesh.compile import pool, ports
from mesh.compile.rules import Rule
from mesh.compile.served import Served
from mesh.compile.traffic import for_port
from mesh.envoy import names
from mesh.envoy.address import LOOPBACK, socket_address
from mesh.envoy.metadata import config_path, metadata
from mesh.model.service import Service
from mesh.resources.istio.destinationrule import ConnectionPool, HTTPSettings, TrafficPolicy

_CONNECT_TIMEOUT = timedelta(seconds=10)
_IDLE = timedelta(minutes=5)
#: The largest that Istio gives, about 292 years: the application's address never goes away.
_NEVER = timedelta(seconds=9223372035)
#: What iptables recognises as the sidecar's own connections to its application.
_BIND = "127.0.0.6"


def inbound(served: Served, rule: Rule | None, application: int | None) -> Cluster:
    """The application's port; ``application`` is where the process really listens, None where traffic is captured."""
    policy = _policy(served, rule)
    tcp = policy.connection_pool.tcp if policy.connection_pool else None
    name = names.inbound(served.number)
    options = pool.protocol_options(
        policy.connection_pool, served.protocol.is_http2, ports.is_sniffed(served.protocol)
    )
    cluster = Cluster(
        name=name,
        alt_stat_name=names.stat(name),
        connect_timeout=(tcp.connect_timeout if tcp else None) or _CONNECT_TIMEOUT,
        circuit_breakers=pool.circuit_breakers(policy.connection_pool),
        upstream_connection_options=pool.keepalive(policy.connection_pool),
        typed_extension_protocol_options=pool.extensions(options),
        common_lb_config={},
        metadata=metadata(istio=_istio(served, rule)),
    )
    if application is None:
        _to_original_destination(cluster)
    else:
        _to_process(cluster, application)
    return cluster


def black_hole() -> Cluster:
    """Where requests go that may go nowhere."""
    name = names.BLACK_HOLE
    return Cluster(
        name=name, alt_stat_name=names.stat(name), type=Cluster.STATIC, connect_timeout=_CONNECT_TIMEOUT
    )


def passthrough() -> Cluster:
    """Where traffic to what the mesh does not know leaves as it came."""
    options = pool.protocol_options(
        ConnectionPool(http=HTTPSettings(idle_timeout=_IDLE)), http2=False, sniffed=True
    )
    return Cluster(
        name=names.PASSTHROUGH,
        alt_stat_name=names.stat(names.PASSTHROUGH),
        type=Cluster.ORIGINAL_DST,
        connect_timeout=_CONNECT_TIMEOUT,
        lb_policy=Cluster.CLUSTER_PROVIDED,
        circuit_breakers=pool.circuit_breakers(None),
        typed_extension_protocol_options=pool.extensions(options),
    )


def inbound_passthrough() -> Cluster:
    """The application's ports that no service names."""
    cluster = passthrough()
    cluster.name = names.INBOUND_PASSTHROUGH
    cluster.upstream_bind_config.CopyFrom(_bind())
    return cluster


def _policy(served: Served, rule: Rule | None) -> TrafficPolicy:
    """Of a DestinationRule for the service itself only the connection pool holds on this side."""
    given = rule.spec.traffic_policy if rule else None
    return for_port(given, served.port.number) or TrafficPolicy()


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


def _to_process(cluster: Cluster, port: int) -> None:
    cluster.type = Cluster.STATIC
    cluster.load_assignment.cluster_name = cluster.name
    endpoint = cluster.load_assignment.endpoints.add().lb_endpoints.add()
    endpoint.endpoint.address.CopyFrom(socket_address(LOOPBACK, port))


def _bind() -> BindConfig:
    return BindConfig(source_address={"address": _BIND, "port_value": 0})
