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
from mesh.model.service import Service
from mesh.resources.istio.destinationrule import DestinationRuleSpec

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

    def __init__(self, rules: Iterable[Rule], root_namespace: str) -> None:
        self._root = root_namespace
        self._root_local: dict[str, list[_Merged]] = {}
        self._namespaces: dict[str, _Index] = {}
        for rule in rules:
            self._add(rule)

    def find(self, namespace: str, service: Service) -> Rule | None:
        """The rule that a client in ``namespace`` follows: its own, else the service's namespace's, else the root's."""
        own = self._root_local if namespace == self._root else self._index(namespace).local
        local = most_specific(service.hostname, own)
        if local:
            return local[-1].rule
        for owner in (service.namespace, self._root):
            given = most_specific(service.hostname, self._index(owner).exported) or []
            seen = [m for m in given if not m.exported or m.exported & {"*", namespace}]
            if seen:
                return seen[-1].rule
        return None

    def _index(self, namespace: str) -> _Index:
        return self._namespaces.get(namespace, _Index())

    def _add(self, rule: Rule) -> None:
        exported = frozenset(rule.spec.export_to)
        index = self._namespaces.setdefault(rule.namespace, _Index())
        if not exported or exported & {"*", ".", rule.namespace}:
            _merge(index.local, rule, exported)
        if exported not in (frozenset({"."}), frozenset({rule.namespace})):
            _merge(index.exported, rule, exported)
        elif rule.namespace == self._root:
            _merge(self._root_local, rule, exported)


def _merge(by_host: dict[str, list[_Merged]], rule: Rule, exported: frozenset[str]) -> None:
    known = by_host.setdefault(rule.spec.host, [])
    separate = True
    for i, merged in enumerate(known):
        if exported == merged.exported or (merged.exported and exported >= merged.exported):
            known[i] = _Merged(_merged(merged.rule, rule.spec), merged.exported)
            separate = False
        else:
            separate = True
    if separate:
        known.append(_Merged(rule, exported))


def _merged(first: Rule, other: DestinationRuleSpec) -> Rule:
    names = {subset.name for subset in first.spec.subsets}
    added = tuple(subset for subset in other.subsets if subset.name not in names)
    spec = replace(
        first.spec,
        subsets=first.spec.subsets + added,
        traffic_policy=first.spec.traffic_policy or other.traffic_policy,
    )
    return replace(first, spec=spec)
