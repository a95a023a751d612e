"""Whether a policy is for a workload: by its selector, or by naming the gateway that the workload is an instance of.

Source: pilot/pkg/model/policyattachment.go. Targets other than a Gateway of the Gateway API are for waypoints, which this mesh has not.
"""

from __future__ import annotations

from typing import Any, Final

from mesh.model.mesh import Config
from mesh.model.service import Workload
from mesh.resources.istio.shared import PolicyTargetReference

GATEWAY_NAME: Final = "gateway.networking.k8s.io/gateway-name"
_GROUP: Final = "gateway.networking.k8s.io"


def attached(policy: Config[Any], workload: Workload) -> bool:
    """A policy that names targets is for these alone, one without a selector for its whole namespace."""
    targets = references(policy.spec)
    if targets:
        gateway = workload.labels.get(GATEWAY_NAME)
        return policy.namespace == workload.namespace and any(
            _names(target, gateway, workload.namespace) for target in targets if gateway
        )
    selector = policy.spec.selector
    return selector is None or bool(selector.selects(workload.labels))


def references(spec: Any) -> tuple[PolicyTargetReference, ...]:
    """The targets of a policy, by either of the fields that name them."""
    found: tuple[PolicyTargetReference, ...] = spec.target_refs or (spec.target_ref,)
    return tuple(target for target in found if target is not None)


def _names(target: PolicyTargetReference, gateway: str | None, namespace: str) -> bool:
    kind = (target.group, target.kind)
    return kind == (_GROUP, "Gateway") and target.name == gateway and target.namespace in ("", namespace)
