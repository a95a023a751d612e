"""POST, PUT, PATCH and DELETE: from a request to the store and back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mesh.local.api.answer import answer, success
from mesh.local.api.body import is_dry_run, is_true, manager, media_type, number, read, read_object
from mesh.local.api.read import selected
from mesh.local.api.service import Service
from mesh.local.api.target import Target
from mesh.local.store import Deletion, Object, PatchType, Written, key_of, metadata, name_of, uid_of
from mesh.local.store.refusal import bad_request, unsupported

RETURNED = ("Pod", "Service")
"""Kinds whose deletion is answered with the object, as their typed clients expect."""


async def create(service: Service, request: Request, target: Target) -> Response:
    obj = await read_object(request, target)
    written = await service.store.create(obj, manager(request), is_dry_run(request))
    return _written(target, written, 201)


async def replace(service: Service, request: Request, target: Target) -> Response:
    obj = await read_object(request, target)
    written = await service.store.update(obj, target.subresource, manager(request), is_dry_run(request))
    return _written(target, written)


async def patch(service: Service, request: Request, target: Target) -> Response:
    how = patch_type(request)
    if how is PatchType.APPLY:
        return await _apply(service, request, target)
    written = await service.store.patch(
        target.key, await read(request), how, target.subresource, manager(request), is_dry_run(request)
    )
    return _written(target, written)


async def _apply(service: Service, request: Request, target: Target) -> Response:
    who = request.query_params.get("fieldManager")
    if not who or target.subresource:
        raise bad_request("an apply patch needs the fieldManager parameter, and goes to the object itself")
    obj = await read_object(request, target)
    written = await service.store.apply(obj, who, is_true(request, "force"), is_dry_run(request))
    return _written(target, written, 201 if written.created else 200)


async def delete(service: Service, request: Request, target: Target) -> Response:
    how = await _deletion(request)
    obj = await service.store.delete(target.key, how, is_dry_run(request))
    if target.kind.name in RETURNED or "deletionTimestamp" in metadata(obj):
        return answer(target.shown(obj))
    kind = target.kind
    return answer(
        success({"name": name_of(obj), "group": kind.group, "kind": kind.plural, "uid": uid_of(obj)})
    )


async def delete_collection(service: Service, request: Request, target: Target) -> Response:
    how = await _deletion(request)
    for obj in selected(service, request, target):
        await service.store.delete(key_of(obj), how, is_dry_run(request))
    return answer(success({"group": target.kind.group, "kind": target.kind.plural}))


def patch_type(request: Request) -> PatchType:
    media = media_type(request)
    try:
        return PatchType(media)
    except ValueError as error:
        raise unsupported(
            f"a PATCH is one of {', '.join(PatchType)}, not {media or 'without a type'}"
        ) from error


async def _deletion(request: Request) -> Deletion:
    """DeleteOptions from the body; the query parameters of the same names count too."""
    body = await read(request) or {}
    if not isinstance(body, dict):
        raise bad_request("the body of a DELETE is DeleteOptions")
    wanted = body.get("preconditions") or {}
    grace = body.get("gracePeriodSeconds", number(request, "gracePeriodSeconds"))
    policy = body.get("propagationPolicy") or request.query_params.get("propagationPolicy", "")
    return Deletion(
        grace=grace if isinstance(grace, int) else None,
        uid=wanted.get("uid") or "",
        version=wanted.get("resourceVersion") or "",
        orphan=policy == "Orphan" or body.get("orphanDependents") is True,
    )


def _written(target: Target, written: Written, code: int = 200) -> Response:
    shown: Object = target.shown(written.object)
    return answer(shown, code, written.warnings)
