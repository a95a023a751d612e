"""Which DestinationRule applies to a service, seen from a namespace.

Several rules for one host are merged as istiod does (pilot/pkg/model/destination_rule.go): the oldest's policy, and every
subset by the first that names it; rules that are exported differently stay apart. Input: the Mesh's rules in istiod's order.
Output: one Config per service and client namespace, for clusters, endpoints and routes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mesh.compile.hosts import most_specific
from mesh.model.mesh import Config
from mesh.model.service import Service, Workload
from mesh.resources.istio.destinationrule import DestinationRuleSpec
from mesh.resources.istio.meshconfig import MeshConfig

Rule = Config[DestinationRuleSpec]


@dataclass(frozen=True)
class _Merged:
    rule: Rule
    exported: frozenset[str]


@dataclass(frozen=True)
class _Index:
    """Rules by host: those a namespace keeps for itself, and those it gives to others."""

    local: dict[str, list[_Merged]] = field(default_factory=dict)
    exported: dict[str, list[_Merged]] = field(default_factory=dict)


class Rules:
    """Every DestinationRule of a mesh, indexed once."""

    def __init__(self, rules: Iterable[Rule], config: MeshConfig) -> None:
        self._root = config.root_namespace
        self._defaults = config.default_destination_rule_export_to
        self._root_local: dict[str, list[_Merged]] = {}
        self._namespaces: dict[str, _Index] = {}
        # Those for some workloads only come first, so that the others are merged among themselves.
        ordered = sorted(rules, key=lambda rule: rule.spec.workload_selector is None)
        self._selecting = [rule for rule in ordered if rule.spec.workload_selector is not None]
        for rule in ordered:
            self._add(rule)

    def find(self, workload: Workload, service: Service) -> tuple[Rule | None, Rule | None]:
        """The rule that a client follows when it calls a service, and the one that it follows when it is the service."""
        found = [merged.rule for merged in self._candidates(workload.namespace, service)]
        general = next((rule for rule in reversed(found) if rule.spec.workload_selector is None), None)
        own = (rule for rule in found if rule.namespace == workload.namespace and _selects(rule, workload))
        return next(own, general), general

    def selecting(self, workload: Workload) -> tuple[tuple[str, str], ...]:
        """The rules of its namespace that are meant for this workload among others: what they may differ by."""
        chosen = (r for r in self._selecting if r.namespace == workload.namespace and _selects(r, workload))
        return tuple((rule.namespace, rule.name) for rule in chosen)

    def _candidates(self, namespace: str, service: Service) -> list[_Merged]:
        """The client's own namespace's rules, else those that the service's gives away, else the root's."""
        own = self._root_local if namespace == self._root else self._index(namespace).local
        local = most_specific(service.hostname, own)
        if local:
            return local
        for owner in (service.namespace, self._root):
            given = most_specific(service.hostname, self._index(owner).exported) or []
            seen = [m for m in given if not m.exported or m.exported & {"*", namespace}]
            if seen:
                return seen
        return []

    def _index(self, namespace: str) -> _Index:
        return self._namespaces.get(namespace, _Index())

    def _add(self, rule: Rule) -> None:
        exported = frozenset(rule.spec.export_to if rule.spec.workload_selector is None else (".",))
        index = self._namespaces.setdefault(rule.namespace, _Index())
        if not exported or exported & {"*", ".", rule.namespace}:
            _merge(index.local, rule, exported)
        by_default = not exported and "." in self._defaults
        if exported not in (frozenset({"."}), frozenset({rule.namespace})) and not by_default:
            _merge(index.exported, rule, exported)
        elif rule.namespace == self._root:
            _merge(self._root_local, rule, exported)


def _merge(by_host: dict[str, list[_Merged]], rule: Rule, exported: frozenset[str]) -> None:
    known = by_host.setdefault(rule.spec.host, [])
    separate = True
    for i, merged in enumerate(known):
        separate = exported != merged.exported
        if separate and not (merged.exported and exported >= merged.exported):
            continue
        there, new = merged.rule.spec.workload_selector, rule.spec.workload_selector
        if there is not None and new is not None and there != new:
            separate = True
            continue
        separate = separate and (there is None) != (new is None)
        known[i] = _Merged(_merged(merged.rule, rule.spec), merged.exported)
    if separate:
        known.append(_Merged(rule, exported))


def _selects(rule: Rule, workload: Workload) -> bool:
    selector = rule.spec.workload_selector
    return selector is not None and selector.selects(workload.labels)


def _merged(first: Rule, other: DestinationRuleSpec) -> Rule:
    names = {subset.name for subset in first.spec.subsets}
    added = tuple(subset for subset in other.subsets if subset.name not in names)
    spec = replace(
        first.spec,
        subsets=first.spec.subsets + added,
        traffic_policy=first.spec.traffic_policy or other.traffic_policy,
    )
    return replace(first, spec=spec)
