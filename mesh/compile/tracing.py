"""What a span says about the proxy that made it. Source: istiod's configureTracing without a Telemetry resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

from mesh.model.service import Workload

#: Per cent of the requests that no caller has decided about.
_SAMPLED = 1


def service_labels(workload: Workload) -> tuple[str, str]:
    """Canonical service and revision, by which a proxy's spans and metrics are grouped."""
    name = workload.labels.get("service.istio.io/canonical-name") or "unknown"
    return name, workload.labels.get("service.istio.io/canonical-revision") or "latest"


def tracing(workload: Workload) -> HttpConnectionManager.Tracing:
    tags = sorted([*_literals(workload), *_dry_runs()], key=lambda tag: str(tag["tag"]))
    return HttpConnectionManager.Tracing(
        client_sampling={"value": 100},
        random_sampling={"value": _SAMPLED},
        overall_sampling={"value": 100},
        custom_tags=tags,
    )


def _literals(workload: Workload) -> Iterator[dict[str, Any]]:
    service, revision = service_labels(workload)
    values = {
        "canonical_revision": revision,
        "canonical_service": service,
        "cluster_id": "Kubernetes",
        "mesh_id": "unknown",
        "namespace": workload.namespace,
    }
    for name, value in values.items():
        yield {"tag": f"istio.{name}", "literal": {"value": value}}


def _dry_runs() -> Iterator[dict[str, Any]]:
    """What a policy that is only tried out would have decided."""
    for action in ("allow", "deny"):
        for name, result in (("name", "effective_policy_id"), ("result", "engine_result")):
            key = f"istio_dry_run_{action}_shadow_{result}"
            yield {
                "tag": f"istio.authorization.dry_run.{action}_policy.{name}",
                "metadata": {
                    "kind": {"request": {}},
                    "metadata_key": {"key": "envoy.filters.http.rbac", "path": [{"key": key}]},
                },
            }
