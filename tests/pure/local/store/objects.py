"""Objects of the shop, as small as the store takes them, and a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mesh.local.store import Object


class Clock:
    """Time that stands still until told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def virtual_service(name: str = "catalog", **spec: object) -> Object:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"hosts": [name], **spec},
    }


def service(name: str) -> Object:
    spec = {"selector": {"app": name}, "ports": [{"name": "grpc", "port": 50051}]}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


def pod(name: str, owner: Object | None = None, node: str = "", **labels: str) -> Object:
    found = {"name": name, "namespace": "shop", "labels": labels}
    if owner:
        refers = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
        found["ownerReferences"] = [{**refers, "uid": owner["metadata"]["uid"], "controller": True}]
    spec: Object = {"containers": [{"name": "app", "image": "shop/app", "ports": [{"containerPort": 50051}]}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": found,
        "spec": {**spec, "nodeName": node} if node else spec,
    }


def deployment(name: str = "catalog-v1", **spec: object) -> Object:
    template = {
        "metadata": {"labels": {"app": "catalog"}},
        "spec": {
            "containers": [
                {"name": "catalog", "image": "shop/catalog", "env": [{"name": "PORT", "value": "50051"}]},
            ]
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "catalog"}}, "template": template, **spec},
    }
