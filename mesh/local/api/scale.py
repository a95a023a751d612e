"""The scale subresource: `kubectl scale` writes an autoscaling/v1 Scale, the store spec.replicas."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mesh.local.api.answer import answer
from mesh.local.api.body import is_dry_run, manager, read
from mesh.local.api.change import patch_type
from mesh.local.api.service import Service
from mesh.local.api.target import Target
from mesh.local.store import Object, PatchType, metadata
from mesh.local.store.object import at
from mesh.local.store.patch import patched
from mesh.local.store.refusal import bad_request


async def scale(service: Service, request: Request, target: Target) -> Response:
    current = service.store.get(target.key)
    if request.method == "GET":
        return answer(_scale(current))
    sent = await read(request)
    if request.method == "PATCH":
        how = patch_type(request)
        sent = patched(
            _scale(current), sent, PatchType.MERGE if how is PatchType.STRATEGIC else how, target.kind
        )
    replicas = at(sent, "spec.replicas")
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
        raise bad_request(f"spec.replicas of a Scale is a number from 0 on, not {replicas!r}")
    change: dict[str, Any] = {"spec": {"replicas": replicas}}
    if version := at(sent, "metadata.resourceVersion"):
        change["metadata"] = {"resourceVersion": version}
    written = await service.store.patch(
        target.key, change, manager=manager(request), dry_run=is_dry_run(request)
    )
    return answer(_scale(written.object), warnings=written.warnings)


def _scale(obj: Object) -> Object:
    labels = at(obj, "spec.selector.matchLabels") or {}
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    named = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: value for name, value in metadata(obj).items() if name in named},
        "spec": {"replicas": at(obj, "spec.replicas") or 0},
        "status": {"replicas": at(obj, "status.replicas") or 0, "selector": selector},
    }
