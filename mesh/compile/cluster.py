"""Outbound clusters: one for each port of a service, and for each subset.

Source: istiod's buildOutboundClusters, applyDestinationRule and buildSubsetCluster. Nothing here depends on the proxy but
its kind, so that every proxy with the same DestinationRule for a service shares these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.config_source_pb2 import ApiVersion

from mesh.compile import (
    balancer,
    origination,
    outlier,
    pool,
    proxyprotocol,
    upstream_protocol,
    upstream_tls,
)
from mesh.compile.rules import Rule
from mesh.compile.traffic import for_port, for_subset, with_defaults
from mesh.compile.upstream_protocol import Spoken
from mesh.compile.upstream_tls import Upstream
from mesh.envoy import names
from mesh.envoy.metadata import config_path, metadata
from mesh.model.service import Kind, Port, Protocol, Resolution, Service
from mesh.resources.istio.destinationrule import TLSMode, TrafficPolicy
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.security import MutualTLS


@dataclass(frozen=True, eq=False)
class Target:
    """What a service's clusters are made from. ``mode`` is what its namespace asks for.

    ``passed`` is for mutual TLS that a router hands on as it comes.
    """

    service: Service
    rule: Rule | None
    mode: MutualTLS
    kind: Kind
    local: bool
    config: MeshConfig
    passed: bool = False

    def named(self, port: int, subset: str) -> str:
        host = self.service.hostname
        return names.server_name(port, subset, host) if self.passed else names.outbound(port, subset, host)


@dataclass(frozen=True)
class _Part:
    """A port of a service, or a subset of it: the policy that holds, and ``named``, the one as written, for what istiod
    reads without its port levels."""

    port: Port
    subset: str
    policy: TrafficPolicy
    named: TrafficPolicy | None


def clusters(target: Target) -> Iterable[Cluster]:
    """Every cluster of a service: for each port the whole of it, then its subsets."""
    if target.service.resolution is Resolution.ALIAS:
        return
    spec = target.rule.spec if target.rule else None
    whole = spec.traffic_policy if spec else None
    for port in target.service.ports:
        if port.protocol is Protocol.UDP:
            continue
        policy = with_defaults(for_port(whole, port.number), target.config.default_traffic_policy)
        made = _cluster(target, _Part(port, "", policy, whole), _type(target))
        yield made
        for subset in spec.subsets if spec else ():
            merged = for_subset(policy, subset.traffic_policy, port.number) or policy
            part = _Part(port, subset.name, merged, subset.traffic_policy)
            yield _cluster(target, part, made.type)


def subsets(target: Target) -> tuple[str, ...]:
    """Their names, and "" for the whole."""
    return ("", *(each.name for each in target.rule.spec.subsets)) if target.rule else ("",)


def _cluster(target: Target, part: _Part, type_: int) -> Cluster:
    policy, config = part.policy, target.config
    name = target.named(part.port.number, part.subset)
    sidecar = target.kind is Kind.SIDECAR
    spoken = upstream_protocol.by_protocol(part.port.protocol, sidecar)
    spoken = upstream_protocol.upgraded(spoken, part.port.protocol, policy.connection_pool, config)
    spoken = upstream_protocol.final(spoken, policy.connection_pool)
    upstream = _upstream(target, part, spoken)
    options = upstream_protocol.options(
        spoken,
        policy.connection_pool,
        upstream_protocol.keeps_case(part.port.protocol, config),
        not target.passed and origination.auto_sni(upstream.own),
        not target.passed and origination.auto_san(upstream.own),
    )
    cluster = Cluster(
        name=name,
        alt_stat_name=names.stat(name),
        type=_placed(target, part, type_),
        connect_timeout=connect_timeout(policy, config),
        circuit_breakers=pool.circuit_breakers(policy.connection_pool, policy.retry_budget),
        upstream_connection_options=pool.keepalive(config.tcp_keepalive, policy.connection_pool),
        typed_extension_protocol_options=upstream_protocol.extensions(options),
        common_lb_config={"healthy_panic_threshold": {"value": _panic(policy)}},
        metadata=metadata(istio=_istio(target, part)),
    )
    if cluster.type == Cluster.EDS:
        _learn_endpoints(cluster)
    elif cluster.type == Cluster.ORIGINAL_DST and _elsewhere(target.service, part.port):
        cluster.original_dst_lb_config.upstream_port_override.value = part.port.target
    if policy.outlier_detection:
        cluster.outlier_detection.CopyFrom(outlier.outlier_detection(policy.outlier_detection))
    balancer.apply(cluster, policy.load_balancer)
    if not target.passed:
        upstream_tls.apply(cluster, upstream)
        proxyprotocol.apply(cluster, policy.proxy_protocol)
    return cluster


def _type(target: Target) -> int:
    """Where traffic is captured, a headless service keeps the address that its caller chose; else a host that is not of the mesh is
    called by its name."""
    service = target.service
    if service.resolution is Resolution.DNS:
        return int(Cluster.STRICT_DNS)
    if service.resolution is Resolution.DNS_ROUND_ROBIN:
        return int(Cluster.LOGICAL_DNS)
    if target.local:
        return int(
            Cluster.STRICT_DNS if service.keeps_address and "*" not in service.hostname else Cluster.EDS
        )
    passes = service.resolution is Resolution.PASSTHROUGH and target.kind is Kind.SIDECAR
    return int(Cluster.ORIGINAL_DST if passes else Cluster.EDS)


def _placed(target: Target, part: _Part, type_: int) -> int:
    """A subset is learnt as its service is, unless it, or what it is merged with, passes through."""
    given = [part.policy.load_balancer]
    if part.subset and part.named:
        given.append(part.named.load_balancer)
    passes = not target.local and any(balancer.passes_through(each) for each in given)
    return int(Cluster.ORIGINAL_DST) if passes else type_


def _elsewhere(service: Service, port: Port) -> bool:
    """Whether a caller's own address is called on another port than the caller's."""
    return service.keeps_address and port.target != port.number


def _learn_endpoints(cluster: Cluster) -> None:
    cluster.eds_cluster_config.service_name = cluster.name
    source = cluster.eds_cluster_config.eds_config
    source.ads.SetInParent()
    source.initial_fetch_timeout.FromTimedelta(timedelta(0))
    source.resource_api_version = ApiVersion.V3


def connect_timeout(policy: TrafficPolicy, config: MeshConfig) -> timedelta:
    given = pool.settings(policy.connection_pool)[1].connect_timeout
    return given if given is not None else config.connect_timeout


def _panic(policy: TrafficPolicy) -> int:
    """Below this share of healthy endpoints all of them are tried. Never, unless a rule asks for it."""
    return policy.outlier_detection.min_health_percent if policy.outlier_detection else 0


def _istio(target: Target, part: _Part) -> dict[str, object]:
    service, tls = target.service, part.policy.tls
    described = {"host": service.hostname, "name": service.name, "namespace": service.namespace}
    found: dict[str, object] = {"services": [described]}
    if service.external and not part.subset:
        found["external"] = True
    if target.rule:
        found["config"] = config_path("destination-rule", target.rule.namespace, target.rule.name)
        if tls is not None and tls.mode in (TLSMode.SIMPLE, TLSMode.MUTUAL):
            found["alpn_override"] = "false"
    if part.subset:
        found["subset"] = part.subset
    return found


def _upstream(target: Target, part: _Part, spoken: Spoken) -> Upstream:
    service = target.service
    selected = target.rule is not None and target.rule.spec.workload_selector is not None
    return Upstream(
        given=part.policy.tls,
        assumed=_assumed(target, part),
        server_name=names.server_name(part.port.number, part.subset, service.hostname),
        identities=_identities(service, target.config.trust_domain_aliases),
        http2=spoken is Spoken.HTTP2,
        entry=service.entry,
        credentials=target.kind is Kind.ROUTER or selected,
        config=target.config,
        local=target.local,
    )


def _identities(service: Service, aliases: tuple[str, ...]) -> list[str]:
    """Who may answer: each account also by the mesh's other names."""
    known = {each.spiffe for each in service.service_accounts}
    known |= {replace(a, trust_domain=alias).spiffe for a in service.service_accounts for alias in aliases}
    return sorted({*known, *service.alternative_names})


def _assumed(target: Target, part: _Part) -> MutualTLS | None:
    """What a client takes the service to speak when no rule says; None outside the mesh."""
    service = target.service
    if service.external:
        return None
    chosen_by_caller = service.resolution is Resolution.PASSTHROUGH or (
        part.named is not None and balancer.passes_through(part.named.load_balancer)
    )
    if chosen_by_caller:
        behind = [e for e in service.endpoints if e.service_port == part.port.name]
        if not behind or not all(e.tls for e in behind):
            return MutualTLS.DISABLE
    return target.mode
