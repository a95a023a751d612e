"""The ASGI application: a request goes by its path to discovery, a document or an object."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from mesh.local.api import change, discovery, openapi, read, watch
from mesh.local.api.answer import answer, status
from mesh.local.api.body import is_true
from mesh.local.api.guard import Guard
from mesh.local.api.logs import logs
from mesh.local.api.portforward import portforward
from mesh.local.api.scale import scale
from mesh.local.api.service import Service
from mesh.local.api.target import Target, target
from mesh.local.store import Object, Refused

Handler = Callable[[Service, Request, Target], Awaitable[Response]]

VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.0+meshwright", "platform": "local"}
"""Of the Kubernetes whose API this is: kubectl compares it with its own."""

log = logging.getLogger(__name__)


def app(service: Service, token: str) -> ASGIApp:
    """The whole application, guard included."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await portforward(service, WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        try:
            response = await _answer(service, request)
        except Refused as refused:
            response = status(refused)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            fault = "the request failed inside the control plane: its log says why"
            response = status(Refused(500, "InternalError", fault))
        await response(scope, receive, send)

    return Guard(serve, token)


async def _answer(service: Service, request: Request) -> Response:
    path = request.url.path
    match path.strip("/").split("/"):
        case ["version"]:
            return answer(VERSION)
        case ["healthz" | "readyz" | "livez"]:
            return PlainTextResponse("ok")
        case ["openapi", "v2"]:
            return Response(b"", media_type=openapi.VERSION_2)
        case ["openapi", *rest]:
            return answer(_document(rest, path))
        case ["api" | "apis" as root]:
            return _groups(root, request)
        case ["apis", group] if group in discovery.groups():
            return answer(discovery.group_object(group))
        case ["api", "v1"]:
            return answer(discovery.resource_list("", "v1"))
        case ["apis", group, version] if version in discovery.groups().get(group, ()):
            return answer(discovery.resource_list(group, version))
        case _:
            return await _resource(service, request, target(path))


def _groups(root: str, request: Request) -> Response:
    if discovery.wants_aggregated(request.headers.get("accept", "")):
        return answer(discovery.aggregated(core=root == "api"), media=discovery.AGGREGATED)
    return answer(discovery.core_versions() if root == "api" else discovery.group_list())


def _document(path: list[str], asked: str) -> Object:
    match path:
        case ["v3"]:
            return openapi.index()
        case ["v3", "api", "v1"]:
            return openapi.document("", "v1")
        case ["v3", "apis", group, version]:
            return openapi.document(group, version)
        case _:
            raise Refused(404, "NotFound", f"the server could not find the requested resource: {asked}")


async def _resource(service: Service, request: Request, about: Target) -> Response:
    if request.method == "GET" and is_true(request, "watch") and not about.subresource:
        return watch.watch(service, request, about)
    handler = _handlers(about).get(request.method)
    if handler is None:
        told = f"{request.method} is not supported on {about.kind.resource}/{about.subresource}".rstrip("/")
        raise Refused(405, "MethodNotAllowed", told, about.kind)
    return await handler(service, request, about)


def _handlers(about: Target) -> Mapping[str, Handler]:
    if not about.name:
        return _COLLECTION
    if about.subresource and about.subresource not in discovery.subresources(about.kind):
        return {}
    return _HANDLERS.get(about.subresource, {})


_COLLECTION: Mapping[str, Handler] = {
    "GET": read.collection,
    "POST": change.create,
    "DELETE": change.delete_collection,
}
_STATUS: Mapping[str, Handler] = {"GET": read.get, "PUT": change.replace, "PATCH": change.patch}
_HANDLERS: Mapping[str, Mapping[str, Handler]] = {
    "": {**_STATUS, "DELETE": change.delete},
    "status": _STATUS,
    "scale": dict.fromkeys(("GET", "PUT", "PATCH"), scale),
    "log": {"GET": logs},
}
