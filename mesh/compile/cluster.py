"""Outbound clusters: one for each port of a service, and for each subset.

Source: istiod's buildOutboundClusters, applyDestinationRule and buildSubsetCluster. Nothing here depends on the proxy but
its kind, so that every proxy with the same DestinationRule for a service shares these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.config_source_pb2 import ApiVersion

from mesh.compile import balancer, outlier, pool, ports, upstream_tls
from mesh.compile.rules import Rule
from mesh.compile.traffic import for_port, for_subset
from mesh.envoy import names
from mesh.envoy.metadata import config_path, metadata
from mesh.model.service import Kind, Port, Protocol, Resolution, Service
from mesh.resources.istio.destinationrule import TrafficPolicy
from mesh.resources.istio.security import MutualTLS

_CONNECT_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, eq=False)
class Target:
    """What a service's clusters are made from. ``mode`` is what its namespace asks for."""

    service: Service
    rule: Rule | None
    mode: MutualTLS
    kind: Kind
    local: bool


def clusters(target: Target) -> Iterable[Cluster]:
    """Every cluster of a service: for each port the whole of it, then its subsets."""
    if target.service.resolution is Resolution.ALIAS:
        return
    spec = target.rule.spec if target.rule else None
    for port in target.service.ports:
        if port.protocol is Protocol.UDP:
            continue
        whole = spec.traffic_policy if spec else None
        yield _cluster(target, port, "", for_port(whole, port.number), whole)
        for subset in spec.subsets if spec else ():
            policy = for_subset(whole, subset.traffic_policy, port.number)
            yield _cluster(target, port, subset.name, policy, subset.traffic_policy)


def _cluster(
    target: Target, port: Port, subset: str, policy: TrafficPolicy | None, named: TrafficPolicy | None
) -> Cluster:
    """``policy`` is what holds for the port; ``named`` is as written, for what istiod reads without its port levels."""
    policy = policy or TrafficPolicy()
    name = names.outbound(port.number, subset, target.service.hostname)
    http2 = port.protocol.is_http2
    own_tls = policy.tls is not None and policy.tls.mode in upstream_tls.OWN
    sniffed = ports.is_sniffed(port.protocol) and target.kind is Kind.SIDECAR
    auto_sni = own_tls and policy.tls is not None and not policy.tls.sni
    options = pool.protocol_options(policy.connection_pool, http2, sniffed, auto_sni)
    cluster = Cluster(
        name=name,
        alt_stat_name=names.stat(name),
        type=_type(target, policy),
        connect_timeout=_connect_timeout(policy),
        circuit_breakers=pool.circuit_breakers(policy.connection_pool),
        upstream_connection_options=pool.keepalive(policy.connection_pool),
        typed_extension_protocol_options=pool.extensions(options),
        common_lb_config={"healthy_panic_threshold": {"value": _panic(policy)}},
        metadata=metadata(istio=_istio(target, subset, own_tls)),
    )
    if cluster.type == Cluster.EDS:
        _learn_endpoints(cluster)
    if policy.outlier_detection:
        cluster.outlier_detection.CopyFrom(outlier.outlier_detection(policy.outlier_detection))
    balancer.apply(cluster, policy.load_balancer)
    _secure(cluster, target, port, subset, policy, named)
    return cluster


def _type(target: Target, policy: TrafficPolicy) -> int:
    """Where traffic is captured, a headless service keeps the address that its caller chose."""
    headless = target.service.resolution is Resolution.PASSTHROUGH and target.kind is Kind.SIDECAR
    if not target.local and (headless or balancer.passes_through(policy.load_balancer)):
        return int(Cluster.ORIGINAL_DST)
    return int(Cluster.EDS)


def _learn_endpoints(cluster: Cluster) -> None:
    cluster.eds_cluster_config.service_name = cluster.name
    source = cluster.eds_cluster_config.eds_config
    source.ads.SetInParent()
    source.initial_fetch_timeout.FromTimedelta(timedelta(0))
    source.resource_api_version = ApiVersion.V3


def _connect_timeout(policy: TrafficPolicy) -> timedelta:
    tcp = policy.connection_pool.tcp if policy.connection_pool else None
    return tcp.connect_timeout if tcp and tcp.connect_timeout is not None else _CONNECT_TIMEOUT


def _panic(policy: TrafficPolicy) -> int:
    """Below this share of healthy endpoints all of them are tried. Never, unless a rule asks for it."""
    return policy.outlier_detection.min_health_percent if policy.outlier_detection else 0


def _istio(target: Target, subset: str, own_tls: bool) -> dict[str, object]:
    service = target.service
    described = {"host": service.hostname, "name": service.name, "namespace": service.namespace}
    found: dict[str, object] = {"services": [described]}
    if service.external and not subset:
        found["external"] = True
    if target.rule:
        found["config"] = config_path("destination-rule", target.rule.namespace, target.rule.name)
        if own_tls:
            found["alpn_override"] = "false"
    if subset:
        found["subset"] = subset
    return found


def _secure(
    cluster: Cluster,
    target: Target,
    port: Port,
    subset: str,
    policy: TrafficPolicy,
    named: TrafficPolicy | None,
) -> None:
    service = target.service
    upstream_tls.apply(
        cluster,
        policy.tls,
        _assumed(target, port, named),
        names.server_name(port.number, subset, service.hostname),
        sorted({each.spiffe for each in service.service_accounts}),
        port.protocol.is_http2,
    )


def _assumed(target: Target, port: Port, named: TrafficPolicy | None) -> MutualTLS | None:
    """What a client takes the service to speak when no rule says; None outside the mesh."""
    service = target.service
    if service.external:
        return None
    chosen_by_caller = service.resolution is Resolution.PASSTHROUGH or (
        named is not None and balancer.passes_through(named.load_balancer)
    )
    if chosen_by_caller:
        behind = [e for e in service.endpoints if e.service_port == port.name]
        if not behind or not all(e.tls for e in behind):
            return MutualTLS.DISABLE
    return target.mode
