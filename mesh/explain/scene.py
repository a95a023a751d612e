"""The proxies of a mesh as simulate needs them: what each is configured with, who it is, and which of them an address leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from envoy.config.core.v3.base_pb2 import TrafficDirection

from mesh.compile import Compiler
from mesh.model.mesh import CLUSTER, Mesh, Placement
from mesh.model.service import Workload
from mesh.simulate.call import Proxy

_LOOPBACK = "127.0.0.1"


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
        if address == _LOOPBACK:
            return self._by_port.get(port)
        return self._by_address.get(address)

    @cached_property
    def _by_address(self) -> dict[str, Proxy]:
        return {each.address: each for each in self.proxies.values()}

    @cached_property
    def _by_port(self) -> dict[int, Proxy]:
        found = ((each, listener) for each in self.proxies.values() for listener in _inbound(each))
        return {listener.address.socket_address.port_value: each for each, listener in found}


def compiled(mesh: Mesh, placement: Placement = CLUSTER) -> Scene:
    """The scene that a mesh ought to be."""
    compiler = Compiler(mesh, placement)
    made = {w.proxy_id: of(w, compiler.compile(w)[0]) for w in mesh.workloads}
    return Scene(mesh, made, placement)


def of(workload: Workload, resources: Any) -> Proxy:
    """The proxy of a workload with these resources."""
    return Proxy(workload.proxy_id, resources, workload.identity.spiffe, workload.pod_address)


def _inbound(proxy: Proxy) -> list[Any]:
    listeners: Any = proxy.resources.listeners.values()
    return [each for each in listeners if each.traffic_direction == TrafficDirection.INBOUND]
