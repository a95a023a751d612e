"""What stands in the mesh for an object that cannot be used as it is written. Security fails closed: it denies.

An object that istiod would refuse, or that meshwright cannot translate in full, is not in the Mesh. For an AuthorizationPolicy or a
RequestAuthentication its workloads then deny every request; for a PeerAuthentication they accept only mutual TLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from mesh.model.mesh import Config
from mesh.resources.istio.security import (
    Action,
    AuthorizationPolicySpec,
    MutualTLS,
    PeerAuthenticationSpec,
    PeerMode,
    Rule,
)
from mesh.resources.istio.shared import WorkloadSelector
from mesh.resources.object import Object

SpecT = TypeVar("SpecT")
_DENYING: Final = ("AuthorizationPolicy", "RequestAuthentication")


def denials(unusable: Iterable[Object[Any]]) -> Iterator[Config[AuthorizationPolicySpec]]:
    """A policy that denies everything, for each policy that cannot be used."""
    for each in unusable:
        if each.kind in _DENYING:
            yield config(each, AuthorizationPolicySpec(_selector(each), (Rule(),), Action.DENY))


def strict(unusable: Iterable[Object[Any]]) -> Iterator[Config[PeerAuthenticationSpec]]:
    """Mutual TLS only, for each PeerAuthentication that cannot be used."""
    for each in unusable:
        if each.kind == "PeerAuthentication":
            yield config(each, PeerAuthenticationSpec(_selector(each), PeerMode(MutualTLS.STRICT)))


def config(each: Object[Any], spec: SpecT) -> Config[SpecT]:
    """An object's place in the Mesh."""
    metadata = each.metadata
    return Config(metadata.name, metadata.namespace, spec, metadata.creation_timestamp, each.place(), each)


def _selector(each: Object[Any]) -> WorkloadSelector | None:
    """The object's own selector, if it is one beyond doubt; else the whole namespace."""
    raw = each.document.data.get("spec")
    given = raw.get("selector") if isinstance(raw, dict) else None
    labels = given.get("matchLabels") if isinstance(given, dict) and len(given) == 1 else None
    if not isinstance(labels, dict) or not all(
        isinstance(value, str) and "*" not in value for value in labels.values()
    ):
        return None
    return WorkloadSelector(match_labels=labels)
