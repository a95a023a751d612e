"""As much of SPDY/3.1 as `kubectl port-forward` speaks: frames in, events out; no sockets.

Fed by ``portforward`` with what comes over a websocket. Source: the SPDY/3.1 draft (sections 2.2 to 2.6);
like kubectl's own implementation (moby/spdystream) it leaves flow control to the connection below.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

FIN = 1
_CONTROL = 0x8003


class Type(IntEnum):
    """The control frames that matter here; the rest are read over."""

    SYN_STREAM = 1
    SYN_REPLY = 2
    RST_STREAM = 3
    PING = 6
    HEADERS = 8


_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status"
)
_MORE = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
    "publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = (
    b"".join(len(word).to_bytes(4, "big") + word.encode() for word in (*_WORDS.split(), *_MORE))
    + _REST.encode()
)
"""What both sides' header compression begins with (section 2.6.10.1); its Adler-32 is 0xe3c6a7c2."""


@dataclass(frozen=True)
class Opened:
    """The peer opened a stream."""

    stream: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Data:
    """Content of a stream; ``last`` when the peer will send no more on it."""

    stream: int
    content: bytes
    last: bool


@dataclass(frozen=True)
class Reset:
    """The peer gave a stream up."""

    stream: int


@dataclass(frozen=True)
class Pinged:
    """The peer wants this number back."""

    number: int


Event = Opened | Data | Reset | Pinged


class Connection:
    """The state of one connection: bytes that are not a frame yet, and the two header compressions."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def receive(self, content: bytes) -> Iterator[Event]:
        """What the peer said with these bytes and those before them. Raises ValueError for what is not SPDY."""
        self._pending += content
        while len(self._pending) >= 8:
            first, word = struct.unpack_from(">II", self._pending)
            flags, length = word >> 24, word & 0xFFFFFF
            if len(self._pending) < 8 + length:
                return
            payload = bytes(self._pending[8 : 8 + length])
            del self._pending[: 8 + length]
            if not first >> 31:
                yield Data(first, payload, bool(flags & FIN))
            else:
                yield from self._control(first, flags, payload)

    def accept(self, stream: int) -> bytes:
        """The answer to Opened: a reply without headers."""
        block = self._deflate.compress(bytes(4)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return control(Type.SYN_REPLY, stream.to_bytes(4, "big") + block)

    def _control(self, first: int, flags: int, payload: bytes) -> list[Event]:
        if first >> 16 != _CONTROL:
            raise ValueError(f"a frame of another protocol: {first:#010x}")
        number = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        match first & 0xFFFF:
            case Type.SYN_STREAM:
                opened = Opened(number, self._headers(payload[10:]))
                return [opened, Data(number, b"", True)] if flags & FIN else [opened]
            case Type.RST_STREAM:
                return [Reset(number)]
            case Type.PING:
                return [Pinged(int.from_bytes(payload[:4], "big"))]
            case Type.SYN_REPLY | Type.HEADERS:
                self._headers(payload[4:])
        return []

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            plain = self._inflate.decompress(block)
        except zlib.error as error:
            raise ValueError(f"a header block that cannot be read: {error}") from error
        words, place = [], 4
        while place + 4 <= len(plain):
            end = place + 4 + int.from_bytes(plain[place : place + 4], "big")
            words.append(plain[place + 4 : end].decode("latin-1"))
            place = end
        return {name.lower(): value for name, value in zip(words[::2], words[1::2], strict=False)}


def data(stream: int, content: bytes, last: bool = False) -> bytes:
    """A frame of content, at most 16 MB."""
    return struct.pack(">II", stream, (FIN if last else 0) << 24 | len(content)) + content


def reset(stream: int) -> bytes:
    """Gives a stream up: CANCEL."""
    return control(Type.RST_STREAM, struct.pack(">II", stream, 5))


def pong(number: int) -> bytes:
    return control(Type.PING, number.to_bytes(4, "big"))


def control(kind: Type, payload: bytes) -> bytes:
    return struct.pack(">HHI", _CONTROL, kind, len(payload)) + payload
