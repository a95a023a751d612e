"""Outlier detection: which errors eject an endpoint, and for how long.

Source: istiod's applyOutlierDetection. Ejection by success rate is always off; a count of 0 switches a detector off.
"""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3.outlier_detection_pb2 import OutlierDetection as EnvoyOutlierDetection

from mesh.resources.istio.destinationrule import OutlierDetection


def outlier_detection(given: OutlierDetection) -> EnvoyOutlierDetection:
    fields: dict[str, Any] = {"enforcing_success_rate": {"value": 0}}
    fields |= _count(given.consecutive5xx_errors, "consecutive_5xx", "enforcing_consecutive_5xx")
    fields |= _count(
        given.consecutive_gateway_errors,
        "consecutive_gateway_failure",
        "enforcing_consecutive_gateway_failure",
    )
    if given.interval is not None:
        fields["interval"] = given.interval
    if given.base_ejection_time is not None:
        fields["base_ejection_time"] = given.base_ejection_time
    if given.max_ejection_percent > 0:
        fields["max_ejection_percent"] = {"value": given.max_ejection_percent}
    if given.split_external_local_origin_errors:
        fields |= _local_origin(given.consecutive_local_origin_failures or 0)
    return EnvoyOutlierDetection(**fields)


def _count(errors: int | None, count: str, enforcing: str) -> dict[str, Any]:
    if errors is None:
        return {}
    return {count: {"value": errors}, enforcing: {"value": 100 if errors > 0 else 0}}


def _local_origin(failures: int) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "split_external_local_origin_errors": True,
        "enforcing_local_origin_success_rate": {"value": 0},
    }
    if failures > 0:
        fields["consecutive_local_origin_failure"] = {"value": failures}
        fields["enforcing_consecutive_local_origin_failure"] = {"value": 100}
    return fields
