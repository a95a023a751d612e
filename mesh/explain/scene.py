"""The proxies of a mesh as simulate needs them: what each is configured with, who it is, and which of them an address leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mesh.compile import Compiler
from mesh.envoy.address import LOOPBACK
from mesh.model.mesh import CLUSTER, Mesh, Placement
from mesh.model.service import Workload
from mesh.simulate.call import Proxy


class Unanswered(Exception):
    """A proxy that runs and does not answer; the message says which and why."""


@dataclass(frozen=True)
class Scene:
    """A mesh and, by node id, its proxies. Their resources may be compiled ones or a running Envoy's own."""

    mesh: Mesh
    proxies: Mapping[str, Proxy]
    placement: Placement = CLUSTER

    def proxy(self, workload: Workload) -> Proxy:
        return self.proxies[workload.proxy_id]

    def find(self, address: str, port: int) -> Proxy | None:
        """Whose proxy takes connections to an address: a pod's own, or on one machine a port of it."""
        found = self._by_port.get(port) if address == LOOPBACK else self._by_address.get(address)
        return self.proxies.get(found) if found else None

    @cached_property
    def _by_address(self) -> dict[str, str]:
        return {each.pod_address: each.proxy_id for each in self.mesh.workloads}

    @cached_property
    def _by_port(self) -> dict[int, str]:
        keys = {each.key: each.proxy_id for each in self.mesh.workloads}
        return {at: keys[key] for (key, _), at in self.placement.inbound.items() if key in keys}


def compiled(mesh: Mesh, placement: Placement = CLUSTER) -> Scene:
    """The scene that a mesh ought to be."""
    compiler = Compiler(mesh, placement)
    made = {w.proxy_id: of(w, compiler.compile(w)[0]) for w in mesh.workloads}
    return Scene(mesh, made, placement)


def of(workload: Workload, resources: Any) -> Proxy:
    """The proxy of a workload with these resources."""
    return Proxy(workload.proxy_id, resources, workload.identity.spiffe, workload.pod_address)
