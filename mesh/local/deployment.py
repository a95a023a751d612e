"""Deployment -> Pods: what to create, what to delete and what status to show. Pure; ``controllers`` carries it out.

A rollout never has fewer ready pods than replicas, and at most one more pod (maxUnavailable 0, maxSurge 1).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.link.expand import TLS_LABEL

Object = dict[str, Any]
HASH_LABEL = "pod-template-hash"


@dataclass(frozen=True)
class Step:
    """What is to be done for one Deployment now; ``status`` is what it shall say."""

    create: tuple[Object, ...]
    delete: tuple[Object, ...]
    status: Object


def template_hash(deployment: Object) -> str:
    """Names a pod template: pods with another hash are of an older one."""
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def reconcile(
    deployment: Object, pods: Sequence[Object], suffix: Callable[[], str], address: Callable[[], str]
) -> Step:
    """The next step towards ``spec.replicas`` pods of the current template.

    ``pods`` are those that the Deployment owns, in order of creation; ``suffix`` and ``address`` give a new pod's name ending and IP.
    """
    wanted = int(deployment["spec"].get("replicas", 1))
    current = template_hash(deployment)
    live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    new = [pod for pod in live if _hash(pod) == current]
    old = [pod for pod in live if _hash(pod) != current]
    room = wanted + (1 if old else 0) - len(live)
    missing = max(0, min(wanted - len(new), room))
    create = tuple(_pod(deployment, current, suffix(), address()) for _ in range(missing))
    return Step(create, tuple(_surplus(new, old, wanted)), _status(deployment, live, new, wanted))


def _surplus(new: Sequence[Object], old: Sequence[Object], wanted: int) -> list[Object]:
    excess = sorted(new, key=ready)[: max(0, len(new) - wanted)]
    available = sum(map(ready, new)) + sum(map(ready, old))
    for pod in old:
        if not ready(pod):
            excess.append(pod)
        elif available > wanted:
            available -= 1
            excess.append(pod)
    return excess


def ready(pod: Object) -> bool:
    """Whether a Pod's Ready condition is true."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _hash(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(HASH_LABEL, ""))


def _pod(deployment: Object, template: str, suffix: str, address: str) -> Object:
    name, metadata = deployment["metadata"]["name"], deployment["spec"]["template"].get("metadata") or {}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": name,
        "uid": deployment["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{template}-{suffix}",
            "namespace": deployment["metadata"]["namespace"],
            "labels": {
                **_canonical(metadata.get("labels") or {}, name),
                **(metadata.get("labels") or {}),
                HASH_LABEL: template,
                TLS_LABEL: "istio",
            },
            "annotations": {**(metadata.get("annotations") or {}), "meshwright.dev/address": address},
            "ownerReferences": [owner],
        },
        "spec": {**deployment["spec"]["template"]["spec"], "nodeName": "local"},
    }


def _canonical(labels: Mapping[str, str], deployment: str) -> dict[str, str]:
    """What Istio's injection adds, and telemetry is grouped by (istio pkg/kube/labels, CanonicalService)."""
    names = (labels.get(key) for key in ("app.kubernetes.io/name", "app"))
    revisions = (labels.get(key) for key in ("app.kubernetes.io/version", "version"))
    return {
        "service.istio.io/canonical-name": next((name for name in names if name), deployment),
        "service.istio.io/canonical-revision": next((found for found in revisions if found), "latest"),
    }


def _status(deployment: Object, live: Sequence[Object], new: Sequence[Object], wanted: int) -> Object:
    available = sum(map(ready, live))
    updated = len(new)
    done = updated == len(live) == wanted == available
    enough = available >= wanted
    return {
        "observedGeneration": deployment["metadata"].get("generation", 1),
        "replicas": len(live),
        "updatedReplicas": updated,
        "readyReplicas": available,
        "availableReplicas": available,
        "unavailableReplicas": max(0, wanted - available),
        "conditions": [
            _condition(
                "Available", enough, "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
            ),
            _condition("Progressing", True, "NewReplicaSetAvailable" if done else "ReplicaSetUpdated"),
        ],
    }


def _condition(kind: str, true: bool, reason: str) -> Object:
    return {"type": kind, "status": "True" if true else "False", "reason": reason, "message": ""}
