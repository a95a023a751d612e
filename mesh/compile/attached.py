"""Whether a policy is for a workload: by its selector, or by naming the gateway that the workload is an instance of.

Source: pilot/pkg/model/policyattachment.go. Targets other than a Gateway of the Gateway API are for waypoints, which this mesh has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mesh.model.mesh import Config
from mesh.model.service import Workload
from mesh.resources.istio.shared import PolicyTargetReference, WorkloadSelector

GATEWAY_NAME: Final = "gateway.networking.k8s.io/gateway-name"
_GROUP: Final = "gateway.networking.k8s.io"


def attached(policy: Config[Any], workload: Workload) -> bool:
    """A policy that names targets is for these alone, one without a selector for its whole namespace."""
    spec = policy.spec
    targets = spec.target_refs or ((spec.target_ref,) if spec.target_ref else ())
    return reaches(policy.namespace, spec.selector, targets, workload)


def reaches(
    namespace: str,
    selector: WorkloadSelector | None,
    targets: Sequence[PolicyTargetReference],
    workload: Workload,
) -> bool:
    """The same for an object in ``namespace`` with this selector and these targets."""
    if not targets:
        return selector is None or selector.selects(workload.labels)
    gateway = workload.labels.get(GATEWAY_NAME)
    return namespace == workload.namespace and any(
        _names(target, gateway, namespace) for target in targets if gateway
    )


def _names(target: PolicyTargetReference, gateway: str | None, namespace: str) -> bool:
    kind = (target.group, target.kind)
    return kind == (_GROUP, "Gateway") and target.name == gateway and target.namespace in ("", namespace)
