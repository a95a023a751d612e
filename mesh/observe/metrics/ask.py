"""Asks a proxy's admin interface, over its Unix socket, without holding up anything else. Used by scraper."""

from __future__ import annotations

import asyncio
import http.client
import io
from typing import Any, Final

_MOST: Final = 64 << 20
"""Bytes of an answer; a proxy with 20,000 series gives some 8 MB."""


class NoAnswer(Exception):
    """The proxy is not there, says something else, or far too much."""


async def ask(socket: str, url: str) -> str:
    """The body of the answer. Raises NoAnswer; for time the caller has to care."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        raise NoAnswer(f"{socket}: {error}") from None
    try:
        writer.write(f"GET {url} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n".encode())
        return _body(await _all(reader))
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise NoAnswer(f"{socket}: {error!r}") from None
    finally:
        writer.close()


async def _all(reader: asyncio.StreamReader) -> bytes:
    whole = bytearray()
    while part := await reader.read(1 << 16):
        whole += part
        if len(whole) > _MOST:
            raise NoAnswer(f"more than {_MOST} bytes")
    return bytes(whole)


class _Received:
    """What http.client takes for a socket."""

    def __init__(self, whole: bytes) -> None:
        self._whole = whole

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._whole)


def _body(whole: bytes) -> str:
    received: Any = _Received(whole)
    response = http.client.HTTPResponse(received)
    response.begin()
    if response.status != http.client.OK:
        raise NoAnswer(f"HTTP {response.status}")
    return response.read().decode()
