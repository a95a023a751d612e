"""OTLP over HTTP, as exporters send it to port 4318: routes for whichever application serves them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from functools import partial

from google.protobuf import json_format
from google.rpc.code_pb2 import DEADLINE_EXCEEDED, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE
from google.rpc.status_pb2 import Status
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from mesh.observe.limits import Reason
from mesh.observe.otlp import NotReadable, from_json, from_protobuf
from mesh.observe.receiver import Overloaded, Read, Receiver, TooLarge
from mesh.observe.wire import Message

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
RETRY_SECONDS = 5
BODY_SECONDS = 30.0
_READERS = {PROTOBUF: from_protobuf, JSON: from_json}
_Take = Callable[[bytes, Read], Awaitable[Message]]
_GZIP = 31  # zlib's wbits for gzip's header and trailer


def routes(receiver: Receiver) -> list[Route]:
    """A page in a browser cannot post here: its content type would need a preflight, which nothing answers."""
    return [
        Route("/v1/traces", partial(_taken, receiver, receiver.take), methods=["POST"]),
        Route("/v1/metrics", partial(_taken, receiver, receiver.take_metrics), methods=["POST"]),
        Route("/v1/logs", partial(_passed_over, receiver, "logs"), methods=["POST"]),
    ]


async def _taken(receiver: Receiver, take: _Take, request: Request) -> Response:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    try:
        body = await _body(request, receiver.limits.request_bytes)
    except (ClientDisconnect, TimeoutError):
        receiver.counts[Reason.NOT_READABLE] += 1
        return _refusal(408, DEADLINE_EXCEEDED, "the body did not come whole", media)
    try:
        read = partial(_read, media, encoding, receiver.limits.request_bytes)
        return _response(200, await take(body, read), media)
    except NotReadable as told:
        return _refusal(400, INVALID_ARGUMENT, told, media)
    except TooLarge as told:
        return _refusal(413, RESOURCE_EXHAUSTED, told, media)
    except Overloaded as told:
        refused = _refusal(503, UNAVAILABLE, told, media)
        refused.headers["Retry-After"] = str(RETRY_SECONDS)
        return refused


async def _passed_over(receiver: Receiver, signal: str, request: Request) -> Response:
    """The body is not read: the server closes the connection of a sender that insists on a large one."""
    return _response(200, receiver.pass_over(signal), request.headers.get("content-type", ""))


async def _body(request: Request, limit: int) -> bytes:
    """No more of it than what is over the limit, at which it will be refused."""
    body = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for part in request.stream():
            body += part
            if len(body) > limit:
                break
    return bytes(body)


def _read(media: str, encoding: str, limit: int, body: bytes, kind: Message) -> Message:
    if media not in _READERS:
        raise NotReadable(f"the content type must be {PROTOBUF} or {JSON}")
    if encoding not in ("gzip", "identity"):
        raise NotReadable("the content encoding must be gzip, if any")
    return _READERS[media](_inflated(body, limit) if encoding == "gzip" else body, kind)


def _inflated(body: bytes, limit: int) -> bytes:
    """Never more than the limit in memory, whatever the body would become."""
    inflating = zlib.decompressobj(_GZIP)
    try:
        found = inflating.decompress(body, limit + 1)
    except zlib.error as error:
        raise NotReadable(f"not gzip: {error}") from None
    if len(found) > limit:
        raise TooLarge(f"an export may have {limit} bytes: send less at once")
    if not inflating.eof or inflating.unused_data:
        raise NotReadable("not gzip: it is cut short, or more follows it")
    return found


def _refusal(code: int, status: int, told: object, media: str) -> Response:
    return _response(code, Status(code=status, message=str(told)), media)


def _response(code: int, message: Message, media: str) -> Response:
    """In the format that was asked with; protobuf when that is unknown."""
    if media == JSON:
        return Response(json_format.MessageToJson(message, indent=None), code, media_type=JSON)
    return Response(message.SerializeToString(), code, media_type=PROTOBUF)
