"""Two Scenes of a mesh that runs: what its proxies do, and what they ought to do by its objects. Proxies are asked when a question needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mesh.compile import Compiler
from mesh.envoy import configdump
from mesh.envoy.configdump import Dump, Unsettled
from mesh.explain.scene import Scene, of
from mesh.model.mesh import CLUSTER, Mesh, Placement
from mesh.model.service import Kind, Workload
from mesh.simulate.call import Proxy

#: An admin page, decoded from JSON, of a workload's proxy. Raises Unanswered.
Page = Callable[[Workload, str], Any]


@dataclass(frozen=True)
class Live:
    """A mesh that runs."""

    mesh: Mesh
    page: Page
    placement: Placement = CLUSTER

    @cached_property
    def running(self) -> Scene:
        """As the proxies are."""
        made = {w.proxy_id: w for w in self._proxied}
        return Scene(self.mesh, _Made(made, lambda w: of(w, self._dumps(w).snapshot)), self.placement)

    @cached_property
    def wanted(self) -> Scene:
        """As the objects say."""
        made = {w.proxy_id: w for w in self._proxied}
        compiler = Compiler(self.mesh, self.placement)
        return Scene(self.mesh, _Made(made, lambda w: of(w, compiler.compile(w)[0])), self.placement)

    def unsettled(self) -> Iterator[tuple[Workload, Unsettled]]:
        """Of the proxies that were asked so far, what each refused or is still warming."""
        for proxy_id, dump in self._asked.items():
            yield from ((self.mesh.workload_by_proxy[proxy_id], each) for each in dump.unsettled)

    def _dumps(self, workload: Workload) -> Dump:
        if workload.proxy_id not in self._asked:
            self._asked[workload.proxy_id] = configdump.read(self.page(workload, configdump.PATH))
        return self._asked[workload.proxy_id]

    @cached_property
    def _asked(self) -> dict[str, Dump]:
        return {}

    @property
    def _proxied(self) -> list[Workload]:
        return [w for w in self.mesh.workloads if w.in_mesh or w.kind is Kind.ROUTER]


class _Made(Mapping[str, Proxy]):
    """Proxies by node id, each made when it is first looked up."""

    def __init__(self, workloads: Mapping[str, Workload], make: Callable[[Workload], Proxy]) -> None:
        self._workloads = workloads
        self._make = make
        self._made: dict[str, Proxy] = {}

    def __getitem__(self, proxy_id: str) -> Proxy:
        if proxy_id not in self._made:
            self._made[proxy_id] = self._make(self._workloads[proxy_id])
        return self._made[proxy_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._workloads)

    def __len__(self) -> int:
        return len(self._workloads)
