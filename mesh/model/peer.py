"""PeerAuthentication: whether a port asks for mutual TLS, and what callers may assume of a namespace.

Workload over namespace over mesh; PERMISSIVE when nobody says. Source: pilot/pkg/model/authentication.go and
pilot/pkg/security/authn/policy_applier.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mesh.model.mesh import Config
from mesh.resources.istio.security import MutualTLS, PeerAuthenticationSpec, PeerMode

Policy = Config[PeerAuthenticationSpec]


@dataclass(frozen=True)
class Peer:
    """One workload's mode, and the ports that differ."""

    mode: MutualTLS = MutualTLS.PERMISSIVE
    ports: Mapping[int, MutualTLS] = field(default_factory=dict)

    def for_port(self, port: int) -> MutualTLS:
        return self.ports.get(port, self.mode)


class PeerPolicies:
    """Every PeerAuthentication of a mesh, indexed once."""

    def __init__(self, policies: Iterable[Policy], root_namespace: str) -> None:
        self._root = root_namespace
        self._by_namespace: dict[str, list[Policy]] = {}
        self._wide: dict[str, Policy] = {}
        for policy in policies:
            self._add(policy)

    def namespace_mode(self, namespace: str) -> MutualTLS:
        """What a client assumes of a service's namespace before it knows the endpoint."""
        mesh = self._wide.get(self._root)
        inherited = (_mode(mesh.spec.mtls) if mesh else None) or MutualTLS.PERMISSIVE
        own = self._wide.get(namespace)
        return (_mode(own.spec.mtls) if own else None) or inherited

    def for_workload(self, namespace: str, labels: Mapping[str, str]) -> Peer:
        """What holds on a pod with these labels."""
        wide = self.namespace_mode(namespace)
        selecting = [] if namespace == self._root else self._by_namespace.get(namespace, [])
        chosen = next((p.spec for p in selecting if _selects(p.spec, labels)), None)
        if chosen is None:
            return Peer(wide)
        mode = _mode(chosen.mtls) or wide
        return Peer(mode, {int(port): _mode(m) or mode for port, m in chosen.port_level_mtls.items()})

    def _add(self, policy: Policy) -> None:
        if policy.spec.selector and policy.spec.selector.match_labels:
            self._by_namespace.setdefault(policy.namespace, []).append(policy)
        else:
            self._wide.setdefault(policy.namespace, policy)


def _selects(spec: PeerAuthenticationSpec, labels: Mapping[str, str]) -> bool:
    return spec.selector is not None and spec.selector.selects(labels)


def _mode(given: PeerMode | None) -> MutualTLS | None:
    return given.mode if given and given.mode is not MutualTLS.UNSET else None
