"""DestinationRules: what istiod refuses, and what does not fit the rest of the mesh."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link import labels, qualify, selectors, trafficpolicy
from mesh.link.encryption import mismatched
from mesh.link.exports import exports
from mesh.link.hosts import is_domain, is_label
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.model.service import Service
from mesh.resources.istio.destinationrule import DestinationRuleSpec, Subset, TrafficPolicy
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid(each: Object[DestinationRuleSpec]) -> Iterator[Problem]:
    """What istiod refuses. Source: istio validation.go, ValidateDestinationRule."""
    at, given = spec(each), each.spec
    if not given.host:
        yield (at / "host").problem("MW0306", "this DestinationRule names no host", "give spec.host")
    elif not is_domain(given.host):
        yield (at / "host").problem("MW0310", f"{given.host!r} is not a host name", "name a service")
    yield from exports(at / "exportTo", given.export_to)
    yield from selectors.invalid(at / "workloadSelector", given.workload_selector, "matchLabels")
    if given.workload_selector and {*given.export_to} - {".", each.metadata.namespace}:
        text = "a rule for selected workloads holds in its own namespace only"
        yield (at / "exportTo").problem("MW0302", text, 'remove it, or say ["."]')
    if given.traffic_policy:
        yield from trafficpolicy.invalid(at / "trafficPolicy", given.traffic_policy)
    seen: set[str] = set()
    for i, subset in enumerate(given.subsets):
        yield from _subset(at / "subsets" / i, subset, seen)


def _subset(at: Spot, subset: Subset, seen: set[str]) -> Iterator[Problem]:
    if not is_label(subset.name):
        text = f"{subset.name!r} is not a subset's name" if subset.name else "this subset has no name"
        yield (at / "name").problem("MW0310", text, "use letters, digits and dashes")
    elif subset.name in seen:
        text = f"subset {subset.name!r} is given twice"
        yield (at / "name").problem("MW0203", text, "give each subset a name of its own")
    seen.add(subset.name)
    yield from labels.invalid(at / "labels", subset.labels)
    if subset.traffic_policy:
        yield from trafficpolicy.invalid(at / "trafficPolicy", subset.traffic_policy)


def misdirected(each: Object[DestinationRuleSpec], names: Names) -> Iterator[Problem]:
    """What does not fit the rest of the mesh."""
    at, given = spec(each), qualify.destination_rule(each)
    if is_domain(given.host) and not names.has_host(given.host):
        text = f"host {given.host} is not a service of the mesh"
        yield (at / "host").problem("MW0201", text, names.closest_host(given.host))
    yield from selectors.idle(at / "workloadSelector", given.workload_selector, names)
    service = names.hosts.get(given.host)
    if service is None:
        return
    yield from _ports(at / "trafficPolicy", given.traffic_policy, service)
    yield from mismatched(at / "trafficPolicy", given.traffic_policy, service, names)
    for i, subset in enumerate(given.subsets):
        yield from _ports(at / "subsets" / i / "trafficPolicy", subset.traffic_policy, service)
        yield from mismatched(
            at / "subsets" / i / "trafficPolicy", subset.traffic_policy, service, names, subset
        )
        wanted = {**service.selector, **subset.labels}
        if service.selector and not names.pods.selected(service.namespace, wanted):
            listed = ", ".join(f"{k}={v}" for k, v in subset.labels.items())
            text = f"no workload of {given.host} has the labels of subset {subset.name}: {listed or 'none'}"
            fix = "label its pods so; until then requests routed to it fail with 503"
            yield (at / "subsets" / i / "labels").problem("MW0305", text, fix)


def _ports(at: Spot, policy: TrafficPolicy | None, service: Service) -> Iterator[Problem]:
    ports = [port.number for port in service.ports]
    for i, setting in enumerate(policy.port_level_settings if policy else ()):
        if setting.port.number not in ports:
            text = f"{service.hostname} has no port {setting.port.number}"
            fix = f"it has: {', '.join(map(str, ports)) or 'none'}"
            yield (at / "portLevelSettings" / i / "port" / "number").problem("MW0205", text, fix)
