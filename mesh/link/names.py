"""What can be referred to: hosts, ports, subsets, gateways, workloads, identities. Built once per link, asked by every check."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mesh.link.hosts import matches
from mesh.link.pods import Pods
from mesh.model.identity import Identity
from mesh.model.mesh import Config
from mesh.model.peer import PeerPolicies
from mesh.model.service import Port, Service, Workload
from mesh.resources.istio.destinationrule import DestinationRuleSpec, Subset
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import GatewaySpec

_MOST_NAMES_TOLD = 8


@dataclass(frozen=True)
class Names:
    """The mesh's names. Hosts are fully qualified."""

    services: Sequence[Service]
    rules: Sequence[Config[DestinationRuleSpec]]
    gateways: Sequence[Config[GatewaySpec]]
    pods: Pods
    peers: PeerPolicies
    root_namespace: str
    config: MeshConfig

    @cached_property
    def hosts(self) -> Mapping[str, Service]:
        return {service.hostname: service for service in self.services}

    def has_host(self, pattern: str) -> bool:
        """Whether a host, or any host that a wildcard covers, is a service."""
        if "*" not in pattern:
            return pattern in self.hosts
        return any(matches(known, pattern) for known in self.hosts)

    @cached_property
    def _subsets(self) -> Mapping[str, Mapping[str, Subset]]:
        found: dict[str, dict[str, Subset]] = {}
        for rule in self.rules:
            found.setdefault(rule.spec.host, {}).update({s.name: s for s in rule.spec.subsets})
        return found

    def subsets(self, host: str) -> Mapping[str, Subset]:
        """The subsets of a host; those of a rule for ``*.suffix`` hold for each host that it covers."""
        wild = (h for h in self._wild if matches(host, h))
        return {n: s for h in (*wild, host) for n, s in self._subsets.get(h, {}).items()}

    @cached_property
    def _wild(self) -> Sequence[str]:
        return [host for host in self._subsets if "*" in host]

    @cached_property
    def gateway_names(self) -> frozenset[str]:
        return frozenset(f"{g.namespace}/{g.name}" for g in self.gateways)

    def behind(self, workload: Workload) -> Mapping[int, tuple[Service, Port]]:
        """The workload's own ports that Services send calls to, with the first Service of each."""
        return self._behind.get(workload.key, {})

    @cached_property
    def _behind(self) -> Mapping[tuple[str, str], Mapping[int, tuple[Service, Port]]]:
        found: dict[tuple[str, str], dict[int, tuple[Service, Port]]] = defaultdict(dict)
        for service in self.services:
            chosen = self.pods.selected(service.namespace, service.selector) if service.selector else []
            for workload in chosen:
                for port in service.ports:
                    number = workload.serving(port)
                    if number is not None:
                        found[workload.key].setdefault(number or port.number, (service, port))
        return found

    @cached_property
    def accounts(self) -> Mapping[str, Mapping[str, Identity]]:
        """Namespace -> service account -> who runs so."""
        return self.pods.accounts()

    def closest_host(self, host: str) -> str:
        """A hint for a host that is not there: the nearest name, or which there are."""
        close = difflib.get_close_matches(host, self.hosts, n=1)
        return f"did you mean {close[0]}?" if close else told(self.hosts, "the mesh has")

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether a selector finds any workload: in its namespace, or anywhere when that is the root namespace."""
        if namespace == self.root_namespace:
            return any(True for _ in self.pods.anywhere(labels))
        return bool(self.pods.selected(namespace, labels))


def told(names: Mapping[str, object] | frozenset[str], introduction: str) -> str:
    """``the mesh has: a, b, c``, cut when there are many."""
    listed = sorted(names)
    more = f" and {len(listed) - _MOST_NAMES_TOLD} more" if len(listed) > _MOST_NAMES_TOLD else ""
    return f"{introduction}: {', '.join(listed[:_MOST_NAMES_TOLD]) or 'none'}{more}"
