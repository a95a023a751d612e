"""Plaintext where the rest of a mesh asks for mutual TLS. Needs no contract."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.contract import found
from mesh.contract.serving import Serving
from mesh.model.mesh import Config
from mesh.model.peer import Peer, PeerPolicies
from mesh.resources.istio.security import MutualTLS, PeerAuthenticationSpec, PeerMode
from mesh.resources.problem import Problem

_WEAK = (MutualTLS.PERMISSIVE, MutualTLS.DISABLE)


def plain(serving: Serving) -> Iterator[Problem]:
    """MW0708: a PeerAuthentication that lets plaintext in where a wider one, or its own, asks for STRICT."""
    mesh = serving.mesh
    peers = PeerPolicies(mesh.peer_authentications, mesh.config.root_namespace)
    for policy in mesh.peer_authentications:
        wide = policy.spec.selector is None or not policy.spec.selector.match_labels
        around = peers.namespace_mode(mesh.config.root_namespace if wide else policy.namespace)
        yield from _weakened(policy, around)


def unproven(serving: Serving) -> Iterator[Problem]:
    """MW0709: a policy asks who calls where mutual TLS is off, so that nobody is anybody: what it allows is refused, what it denies gets in."""
    mesh = serving.mesh
    peers = PeerPolicies(mesh.peer_authentications, mesh.config.root_namespace)
    plain_ = {
        w.key for w in mesh.workloads if peers.for_workload(w.namespace, w.labels) == Peer(MutualTLS.DISABLE)
    }
    for policy in mesh.authorization_policies if plain_ else ():
        chosen = [w for w in mesh.workloads if policy in serving.policies(w)]
        if not chosen or not all(w.key in plain_ for w in chosen):
            continue
        for i, rule in enumerate(policy.spec.rules):
            for j, each in enumerate(rule.from_):
                if each.source.principals or each.source.namespaces or each.source.service_accounts:
                    path = ("spec", "rules", i, "from", j, "source")
                    text = f"nobody proves who they are to {chosen[0].owner}: mutual TLS is DISABLE there"
                    yield found.at(policy, path, "MW0709", text, "make the PeerAuthentication STRICT")


def _weakened(policy: Config[PeerAuthenticationSpec], around: MutualTLS) -> Iterator[Problem]:
    own = _said(policy.spec.mtls)
    if own in _WEAK and around is MutualTLS.STRICT:
        yield _hole(policy, ("spec", "mtls", "mode"), f"{own} where the mesh around it is STRICT")
    for port, given in policy.spec.port_level_mtls.items():
        if (mode := _said(given)) in _WEAK and (own or around) is MutualTLS.STRICT:
            path = ("spec", "portLevelMtls", port)
            yield _hole(policy, path, f"port {port} is {mode} where every other is STRICT")


def _said(given: PeerMode | None) -> MutualTLS | None:
    return given.mode if given and given.mode is not MutualTLS.UNSET else None


def _hole(policy: Config[PeerAuthenticationSpec], path: tuple[str | int, ...], text: str) -> Problem:
    fix = "make it STRICT, unless callers without a sidecar need it: then let a policy say who"
    return found.at(policy, path, "MW0708", f"anybody may speak plaintext to it: {text}", fix)
