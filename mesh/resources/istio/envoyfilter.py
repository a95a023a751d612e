"""EnvoyFilter: patches of Envoy's own configuration. The patches are kept as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mesh.resources.istio.shared import PolicyTargetReference, WorkloadSelector


@dataclass(frozen=True, slots=True)
class EnvoyFilterSpec:
    workload_selector: WorkloadSelector | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    config_patches: tuple[Any, ...] = ()
    priority: int = 0
