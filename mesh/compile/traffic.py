"""Which TrafficPolicy holds for a port of a service, and for a subset of it.

Port-level settings replace a whole policy; a subset's policy replaces the parts it gives
(istiod's GetPortLevelTrafficPolicy and MergeSubsetTrafficPolicy).
"""

from __future__ import annotations

from dataclasses import replace

from mesh.resources.istio.destinationrule import DestinationRuleSpec, Subset, TLSMode, TrafficPolicy
from mesh.resources.istio.meshconfig import DefaultTrafficPolicy


def for_port(policy: TrafficPolicy | None, port: int) -> TrafficPolicy | None:
    """The policy for one port of the service."""
    return _for_port(policy, port)[0]


def for_subset(policy: TrafficPolicy | None, subset: TrafficPolicy | None, port: int) -> TrafficPolicy | None:
    """``policy`` with what the subset's own policy says on top."""
    base = for_port(policy, port)
    if subset is None:
        return base
    over, whole = _for_port(subset, port)
    if base is None or over is None:
        return over
    return replace(
        base,
        connection_pool=over.connection_pool if whole else over.connection_pool or base.connection_pool,
        outlier_detection=over.outlier_detection
        if whole
        else over.outlier_detection or base.outlier_detection,
        load_balancer=over.load_balancer if whole else over.load_balancer or base.load_balancer,
        tls=over.tls if whole else over.tls or base.tls,
        tunnel=over.tunnel or base.tunnel,
        proxy_protocol=over.proxy_protocol or base.proxy_protocol,
        retry_budget=over.retry_budget or base.retry_budget,
        port_level_settings=(),
    )


def with_defaults(policy: TrafficPolicy | None, defaults: DefaultTrafficPolicy) -> TrafficPolicy:
    """``policy`` for one port, over what the mesh says for every host (istiod's applyDefaultTrafficPolicy)."""
    policy = policy or TrafficPolicy()
    return replace(
        policy,
        connection_pool=policy.connection_pool or defaults.connection_pool,
        outlier_detection=policy.outlier_detection or defaults.outlier_detection,
        port_level_settings=(),
    )


def find_subset(rule: DestinationRuleSpec | None, name: str) -> Subset | None:
    return next((s for s in rule.subsets if s.name == name), None) if rule and name else None


def tls_mode(rule: DestinationRuleSpec | None, subset: str, port: int) -> TLSMode | None:
    """What a rule says of TLS to a port; None when it leaves that to detection."""
    if rule is None:
        return None
    found = find_subset(rule, subset)
    if subset and found is None:
        return None
    own = _tls_mode(found.traffic_policy, port) if found else None
    return own or _tls_mode(rule.traffic_policy, port)


def _tls_mode(policy: TrafficPolicy | None, port: int) -> TLSMode | None:
    if policy is None:
        return None
    of_port = (s.tls for s in policy.port_level_settings if s.port.number == port and s.tls)
    tls = next(of_port, policy.tls)
    return tls.mode if tls else None


def _for_port(policy: TrafficPolicy | None, port: int) -> tuple[TrafficPolicy | None, bool]:
    for each in policy.port_level_settings if policy else ():
        if each.port.number == port:
            return (
                TrafficPolicy(each.load_balancer, each.connection_pool, each.outlier_detection, each.tls),
                True,
            )
    return policy, False
