"""A random mesh placed on free ports of this machine: its proxies as simulate sees them, and how a caller comes to each."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from mesh.compile import Compiler
from mesh.compile.placement import numbered
from mesh.envoy.address import LOOPBACK
from mesh.link.link import link
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Kind, Workload
from mesh.resources.object import from_json
from mesh.simulate.call import Proxy

Manifest = Mapping[str, Any]
#: Nobody here can sign a token, hosts outside the mesh have no application, and patches may do anything.
_LEFT_OUT = ("RequestAuthentication", "ServiceEntry", "WorkloadEntry", "EnvoyFilter")


@dataclass(frozen=True)
class Stage:
    """``proxies`` by node id; ``apps`` is on which port which workload's application answers."""

    mesh: Mesh
    placement: Placement
    proxies: Mapping[str, Proxy]
    apps: Mapping[int, str]

    def find(self, address: str, port: int) -> Proxy | None:
        keys = {each.key: each.proxy_id for each in self.mesh.workloads}
        found = (key for (key, _), at in self.placement.inbound.items() if at == port)
        return next((self.proxies[keys[key]] for key in found), None)

    @property
    def doors(self) -> list[tuple[Workload, int, str]]:
        """(caller, port of a listener of its proxy, the host behind it); of a gateway the host is empty."""
        workloads = {each.key: each for each in self.mesh.workloads}
        listening = {key: _ports(self.proxies[each.proxy_id]) for key, each in workloads.items()}
        out = [
            (workloads[key], at, host)
            for (key, host, _), at in self.placement.outbound.items()
            if workloads[key].kind is Kind.SIDECAR
        ]
        gates = [(workloads[key], at, "") for (key, _), at in self.placement.gateway.items()]
        return [door for door in (*out, *gates) if door[1] in listening[door[0].key]]


def stage(manifests: Iterable[Manifest]) -> Stage:
    """Places a mesh. Nothing is started."""
    kept = (tamed(each) for each in manifests if not _left_out(each))
    objects = [made for each in kept if (made := from_json(each, "manifests")[0])]
    mesh, _ = link(objects)
    placement = _free(numbered(mesh, 1))
    compiler = Compiler(mesh, placement)
    proxies = {
        w.proxy_id: Proxy(w.proxy_id, compiler.compile(w)[0], w.identity.spiffe, LOOPBACK)
        for w in mesh.workloads
    }
    names = {w.key: w.name for w in mesh.workloads}
    apps = {at: f"{key[0]}/{names[key]}" for (key, _), at in placement.application.items() if key in names}
    return Stage(mesh, placement, proxies, apps)


def _left_out(manifest: Manifest) -> bool:
    """Also policies that ask an authorizer elsewhere."""
    return manifest["kind"] in _LEFT_OUT or manifest.get("spec", {}).get("action") == "CUSTOM"


def tamed(manifest: Manifest) -> Manifest:
    """Without what depends on chance, on the clock or on files: ejections, certificates in files, and times that a busy machine would exceed."""
    return {key: _tamed(key, value) for key, value in manifest.items()}


def _tamed(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_tamed(name, each) for each in value]
    if not isinstance(value, dict):
        return value
    left_out = {"outlierDetection", "delay", "warmup", "warmupDurationSecs", "proxyProtocol"}
    kept = {k: v for k, v in value.items() if k not in left_out and not _wild(k, v)}
    if name == "fault" and not kept:
        kept = {"abort": {"httpStatus": 418, "percentage": {"value": 0}}}
    return {k: _tamed(k, v) for k, v in kept.items()}


def _wild(name: str, value: Any) -> bool:
    if name == "tls" and isinstance(value, dict):
        return value.get("mode") in ("SIMPLE", "MUTUAL")
    return name in ("timeout", "perTryTimeout", "connectTimeout", "idleTimeout", "maxConnectionDuration")


def _free(counted: Placement) -> Placement:
    """The same with ports that nobody listens on."""
    fields = ("inbound", "application", "outbound", "gateway")
    wanted = sorted({at for field in fields for at in getattr(counted, field).values()})
    given = dict(zip(wanted, _ports_of_this_machine(len(wanted)), strict=True))
    moved = {field: {key: given[at] for key, at in getattr(counted, field).items()} for field in fields}
    return Placement(True, **moved)


def _ports_of_this_machine(count: int) -> Sequence[int]:
    """Taken together, so that they are different, and given back."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            each = stack.enter_context(socket.socket())
            each.bind((LOOPBACK, 0))
            found.append(int(each.getsockname()[1]))
        return found


def _ports(proxy: Proxy) -> set[int]:
    listeners: Any = proxy.resources.listeners.values()
    return {each.address.socket_address.port_value for each in listeners}
