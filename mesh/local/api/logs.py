"""The log subresource of a pod: `kubectl logs`, with -f, --tail, --since and --since-time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mesh.local.api.body import is_true, number
from mesh.local.api.service import Service
from mesh.local.api.target import Target
from mesh.local.store import Object, metadata, name_of
from mesh.local.store.object import at
from mesh.local.store.refusal import bad_request

NOT_KEPT = ("previous", "timestamps", "limitBytes")
QUIET_SECONDS = 0.5
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


async def logs(service: Service, request: Request, target: Target) -> Response:
    """Answers when the first piece is there, so that a refusal is still a Status; a quiet log is followed
    soon anyway.
    """
    pod = service.store.get(target.key)
    for parameter in NOT_KEPT:
        if request.query_params.get(parameter, "false") != "false":
            raise bad_request(f"logs of the local mesh have no {parameter}: leave it out")
    if service.logs is None:
        raise bad_request("this API serves no logs: no runner is attached to it")
    follow = is_true(request, "follow")
    container = _container(pod, request.query_params.get("container", ""))
    pieces = service.logs.read(pod, container, follow, number(request, "tailLines"), _since(service, request))
    stream = _limited(service, pieces)
    first = asyncio.create_task(_first(stream))
    await asyncio.wait({first}, timeout=QUIET_SECONDS if follow else None)
    if first.done():
        first.result()
    return StreamingResponse(_joined(first, stream), media_type="text/plain")


async def _limited(service: Service, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces until there are no more, or the server stops."""
    try:
        while True:
            async with service.streams.limit(None):
                piece = await anext(pieces, None)
            if piece is None:
                return
            yield piece
    except TimeoutError:
        return


async def _first(pieces: AsyncIterator[bytes]) -> bytes:
    return await anext(pieces, b"")


async def _joined(first: asyncio.Task[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield await first
    async for piece in rest:
        yield piece


def _container(pod: Object, asked: str) -> str:
    containers = [*(at(pod, "spec.initContainers") or []), *(at(pod, "spec.containers") or [])]
    names = [str(container.get("name")) for container in containers]
    preset = asked or (metadata(pod).get("annotations") or {}).get(DEFAULT_CONTAINER, "")
    if preset in names:
        return str(preset)
    choose = f"choose one of: [{' '.join(names)}]"
    if preset:
        raise bad_request(f"container {preset} is not valid for pod {name_of(pod)}, {choose}")
    own = [str(container.get("name")) for container in at(pod, "spec.containers") or []]
    if len(own) != 1:
        raise bad_request(f"a container name must be specified for pod {name_of(pod)}, {choose}")
    return own[0]


def _since(service: Service, request: Request) -> datetime | None:
    seconds, moment = number(request, "sinceSeconds"), request.query_params.get("sinceTime")
    if seconds is not None:
        return service.now() - timedelta(seconds=seconds)
    try:
        return datetime.fromisoformat(moment) if moment else None
    except ValueError as error:
        raise bad_request(f"sinceTime={moment} is not an RFC 3339 time") from error
