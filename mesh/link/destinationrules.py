"""DestinationRules: the host made fully qualified, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mesh.link.hosts import matches, qualified
from mesh.link.names import Names
from mesh.resources.istio.destinationrule import (
    DestinationRuleSpec,
    OutlierDetection,
    TrafficPolicy,
)
from mesh.resources.object import Object
from mesh.resources.problem import Problem, Severity
from mesh.resources.tree import Path


def qualify(each: Object[DestinationRuleSpec]) -> DestinationRuleSpec:
    return replace(each.spec, host=qualified(each.spec.host, each.metadata.namespace))


def check(each: Object[DestinationRuleSpec], names: Names) -> Iterator[Problem]:
    """What is wrong with one DestinationRule."""
    spec = qualify(each)
    if not spec.host:
        yield each.problem(("spec", "host"), "MW0306", "this DestinationRule names no host", "give spec.host")
    elif not any(matches(known, spec.host) for known in names.hosts):
        text = f"host {spec.host} is not a service of the mesh"
        yield each.problem(("spec", "host"), "MW0201", text, names.closest_host(spec.host))
    yield from _subsets(each, spec, names)
    if spec.traffic_policy:
        yield from _policy(each, ("spec", "trafficPolicy"), spec.traffic_policy)


def _subsets(each: Object[Any], spec: DestinationRuleSpec, names: Names) -> Iterator[Problem]:
    seen: set[str] = set()
    service = names.hosts.get(spec.host)
    for i, subset in enumerate(spec.subsets):
        path = ("spec", "subsets", i)
        if not subset.name or subset.name in seen:
            text = f"subset {subset.name!r} is given twice" if subset.name else "this subset has no name"
            yield each.problem((*path, "name"), "MW0203", text, "give each subset a name of its own")
        seen.add(subset.name)
        if service and not names.selected(service.namespace, {**service.selector, **subset.labels}):
            text = f"no workload of {spec.host} has the labels of subset {subset.name}"
            yield each.problem(
                (*path, "labels"), "MW0305", text, "requests routed to it fail with 503", Severity.WARNING
            )
        if subset.traffic_policy:
            yield from _policy(each, (*path, "trafficPolicy"), subset.traffic_policy)


def _policy(each: Object[Any], path: Path, policy: TrafficPolicy) -> Iterator[Problem]:
    if policy.outlier_detection:
        yield from _outlier(each, (*path, "outlierDetection"), policy.outlier_detection)
    pool = policy.connection_pool
    if pool and pool.tcp and pool.tcp.max_connections < 0:
        yield each.problem(
            (*path, "connectionPool", "tcp", "maxConnections"),
            "MW0304",
            "maxConnections is negative",
            "use 1 or more",
        )


def _outlier(each: Object[Any], path: Path, outlier: OutlierDetection) -> Iterator[Problem]:
    for field, percent in (
        ("maxEjectionPercent", outlier.max_ejection_percent),
        ("minHealthPercent", outlier.min_health_percent),
    ):
        if not 0 <= percent <= 100:
            yield each.problem(
                (*path, field), "MW0304", f"{field} {percent} is not a percentage", "use 0 to 100"
            )
    for field, value in (("interval", outlier.interval), ("baseEjectionTime", outlier.base_ejection_time)):
        if value is not None and value < timedelta(milliseconds=1):
            yield each.problem((*path, field), "MW0304", f"{field} is under a millisecond", "use 1ms or more")
