"""Manifests as users write them."""

from __future__ import annotations

from typing import Any

from mesh.local.store import Object


def virtual_service(
    name: str = "catalog", host: str = "", api_version: str = "networking.istio.io/v1"
) -> Object:
    route = {"route": [{"destination": {"host": "catalog", "subset": "v1"}, "weight": 100}]}
    return {
        "apiVersion": api_version,
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": {"hosts": [host or name], "http": [route]},
    }


def service(name: str = "catalog") -> Object:
    spec = {"selector": {"app": name}, "ports": [{"name": "grpc", "port": 50051, "targetPort": "grpc"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def deployment(name: str = "catalog-v1", image: str = "shop/catalog", replicas: int = 1) -> Object:
    labels = {"app": "catalog", "version": "v1"}
    container = {
        "name": "catalog",
        "image": image,
        "ports": [{"name": "grpc", "containerPort": 50051}],
        "readinessProbe": {"grpc": {"port": 50051}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def pod(name: str = "catalog-v1-0", **labels: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "catalog", **labels}},
        "spec": {"nodeName": "local", "containers": [{"name": "catalog", "image": "shop/catalog"}]},
    }


def running(ready: bool = True, restarts: int = 0) -> dict[str, Any]:
    """The status that a runner gives a pod whose one container runs."""
    container = {
        "name": "catalog",
        "image": "shop/catalog",
        "imageID": "shop/catalog",
        "ready": ready,
        "restartCount": restarts,
        "state": {"running": {"startedAt": "2026-11-23T12:00:00Z"}},
    }
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "phase": "Running",
        "podIP": "10.1.0.1",
        "conditions": conditions,
        "containerStatuses": [container],
    }
