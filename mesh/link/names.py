"""What can be referred to: hosts, ports, subsets, gateways, workloads. Built once per link, asked by every check."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from mesh.model.mesh import Config
from mesh.model.service import Service, Workload
from mesh.resources.istio.destinationrule import DestinationRuleSpec, Subset
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import GatewaySpec


@dataclass(frozen=True)
class Names:
    """The mesh's names. Hosts are fully qualified."""

    services: Sequence[Service]
    rules: Sequence[Config[DestinationRuleSpec]]
    gateways: Sequence[Config[GatewaySpec]]
    workloads: Sequence[Workload]
    config: MeshConfig

    @cached_property
    def hosts(self) -> Mapping[str, Service]:
        return {service.hostname: service for service in self.services}

    @cached_property
    def subsets(self) -> Mapping[str, Mapping[str, Subset]]:
        found: dict[str, dict[str, Subset]] = {}
        for rule in self.rules:
            found.setdefault(rule.spec.host, {}).update({s.name: s for s in rule.spec.subsets})
        return found

    @cached_property
    def gateway_names(self) -> frozenset[str]:
        return frozenset(f"{g.namespace}/{g.name}" for g in self.gateways)

    def closest_host(self, host: str) -> str:
        """A hint for a host that is not there: the nearest name, or all there are."""
        close = difflib.get_close_matches(host, self.hosts, n=1)
        if close:
            return f"did you mean {close[0]}?"
        return "the mesh has: " + (", ".join(sorted(self.hosts)) or "no service at all")

    def selected(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Whether any workload of the namespace (any at all, for the root namespace) has the labels."""
        anywhere = namespace == self.config.root_namespace
        return any(
            (anywhere or w.namespace == namespace) and all(w.labels.get(k) == v for k, v in labels.items())
            for w in self.workloads
        )
