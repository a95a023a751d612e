"""Policies that name what they are for: what istiod refuses, and targets that nothing is.

Source: istio validation.go, validatePolicyTargetReference and validateOneOfSelectorType. ``mesh.compile.attached`` says whom they reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mesh.link.names import Names
from mesh.link.spot import Spot
from mesh.resources.istio.shared import PolicyTargetReference
from mesh.resources.problem import Problem

_GATEWAYS: Final = "gateway.networking.k8s.io"
_LABEL: Final = "gateway.networking.k8s.io/gateway-name"
_KINDS: Final = {
    ("", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    (_GATEWAYS, "Gateway"),
    (_GATEWAYS, "GatewayClass"),
}


def invalid(at: Spot, spec: Any) -> Iterator[Problem]:
    """What istiod refuses."""
    given = [name for name, value in _ways(spec).items() if value]
    if len(given) > 1:
        text = f"{' and '.join(given)} cannot stand together"
        yield (at / given[1]).problem("MW0302", text, "say in one way what the policy is for")
    for here, each in _targets(at, spec):
        yield from target(here, each)


def idle(at: Spot, spec: Any, names: Names) -> Iterator[Problem]:
    """A target that no workload here is an instance of."""
    for here, each in _targets(at, spec):
        yield from missing(here, each, names)


def missing(at: Spot, given: PolicyTargetReference, names: Names) -> Iterator[Problem]:
    """Why a target is not there."""
    if (given.group, given.kind) != (_GATEWAYS, "Gateway"):
        text = f"a policy for a {given.kind} is for waypoints, and there are none"
        yield at.problem("MW0206", text, "use selector for workloads with sidecars")
    elif not names.pods.selected(at.namespace, {_LABEL: given.name}):
        text = f"no workload in {at.namespace} has the label {_LABEL}={given.name}"
        yield at.problem("MW0206", text, "the object has no effect until one has")


def _ways(spec: Any) -> dict[str, Any]:
    return {"selector": spec.selector, "targetRef": spec.target_ref, "targetRefs": spec.target_refs}


def _targets(at: Spot, spec: Any) -> Iterator[tuple[Spot, PolicyTargetReference]]:
    if spec.target_ref is not None:
        yield at / "targetRef", spec.target_ref
    for i, each in enumerate(spec.target_refs):
        yield at / "targetRefs" / i, each


def target(at: Spot, given: PolicyTargetReference) -> Iterator[Problem]:
    """What istiod refuses in one target."""
    if not given.name or not given.kind:
        yield at.problem("MW0302", "a target needs a kind and a name", "give both")
    elif (given.group, given.kind) not in _KINDS:
        text = f"{given.kind} of {given.group or 'no group'} cannot be a target"
        yield (at / "kind").problem("MW0308", text, f"use Gateway of {_GATEWAYS}")
    if given.namespace:
        yield (at / "namespace").problem("MW0302", "a target is in the policy's own namespace", "remove it")
