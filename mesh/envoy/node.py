"""Who an Envoy says it is: its node, as Istio's agent describes the same pod on a cluster.

Used by the runner of local sidecars for the bootstrap; what it says can be seen in Envoy's ``/config_dump`` and in its logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh.model.service import Workload

#: The cluster's name where nothing else is configured (istiod's and the agent's ISTIO_META_CLUSTER_ID).
CLUSTER_ID = "Kubernetes"


def node(workload: Workload) -> dict[str, Any]:
    """A bootstrap's ``node``. The service cluster is Istio's ``APP.NAMESPACE``."""
    made: dict[str, Any] = {
        "id": workload.proxy_id,
        "cluster": f"{workload.labels.get('app', workload.owner)}.{workload.namespace}",
        "metadata": _metadata(workload),
    }
    return made | ({"locality": _locality(workload.locality)} if workload.locality else {})


def _metadata(workload: Workload) -> Mapping[str, Any]:
    return {
        "NAME": workload.name,
        "NAMESPACE": workload.namespace,
        "CLUSTER_ID": CLUSTER_ID,
        "MESH_ID": workload.identity.trust_domain,
        "INSTANCE_IPS": workload.pod_address,
        "LABELS": dict(workload.labels),
        "OWNER": _owner(workload),
        "SERVICE_ACCOUNT": workload.identity.service_account,
        "WORKLOAD_NAME": workload.owner,
    }


def _owner(workload: Workload) -> str:
    """What made the pod, a Deployment or the pod itself, as a path of the Kubernetes API."""
    if workload.owner == workload.name:
        return f"kubernetes://apis/v1/namespaces/{workload.namespace}/pods/{workload.name}"
    return f"kubernetes://apis/apps/v1/namespaces/{workload.namespace}/deployments/{workload.owner}"


def _locality(written: str) -> dict[str, str]:
    """``REGION/ZONE/SUBZONE``, of which the last ones may be missing."""
    return dict(zip(("region", "zone", "sub_zone"), written.split("/", 2), strict=False))
