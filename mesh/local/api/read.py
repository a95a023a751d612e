"""GET: one object, a list, or a Table of either."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mesh.local.api import table
from mesh.local.api.answer import answer
from mesh.local.api.service import Service
from mesh.local.api.target import Target
from mesh.local.store import Object, metadata


async def get(service: Service, request: Request, target: Target) -> Response:
    obj = service.store.get(target.key)
    if table.wanted(request.headers.get("accept", "")):
        return answer(_table(service, request, target, [obj], str(metadata(obj)["resourceVersion"])))
    return answer(target.shown(obj))


async def collection(service: Service, request: Request, target: Target) -> Response:
    """Everything at once: ``limit`` is a hint that a server need not take."""
    objects, version = selected(service, request, target), str(service.store.version)
    if table.wanted(request.headers.get("accept", "")):
        return answer(_table(service, request, target, objects, version))
    found = {"metadata": {"resourceVersion": version}, "items": [target.shown(obj) for obj in objects]}
    return answer({"kind": f"{target.kind.name}List", "apiVersion": target.api_version, **found})


def selected(service: Service, request: Request, target: Target) -> list[Object]:
    labels, fields = selectors(request, target)
    return list(service.store.list(target.kind, target.namespace, labels, fields))


def selectors(request: Request, target: Target) -> tuple[str, str]:
    """The label and the field selector; a name in the path selects by that name."""
    fields = request.query_params.get("fieldSelector", "")
    named = f"metadata.name={target.name}" if target.name else ""
    return request.query_params.get("labelSelector", ""), ",".join(part for part in (fields, named) if part)


def _table(service: Service, request: Request, target: Target, objects: list[Object], version: str) -> Object:
    include = request.query_params.get("includeObject", "")
    return table.table(target, objects, version, include, service.now())
