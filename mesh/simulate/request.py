"""A request and the connection on which it arrives: what a caller chooses, and what a proxy sees of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """``authority`` is the host as the caller writes it; ``path`` has its query. Header names are lower case.

    ``claims`` are those of a valid token that the caller shows; None when it shows none. ``verified`` are what a filter of the proxy that has
    the request has found of them: what its rules may ask for.
    """

    authority: str
    path: str
    method: str = "POST"
    scheme: str = "http"
    headers: Mapping[str, str] = field(default_factory=dict)
    http2: bool = True
    claims: Mapping[str, Any] | None = None
    verified: Mapping[str, Any] | None = None

    def header(self, name: str) -> str | None:
        """A header's value, or one of HTTP/2's own, as ``:path``. None when it is missing."""
        own = {
            ":authority": self.authority,
            "host": self.authority,
            ":path": self.path,
            ":method": self.method,
            ":scheme": self.scheme,
        }
        return own.get(name.lower(), self.headers.get(name.lower()))

    @property
    def plain_path(self) -> str:
        """Without query and fragment."""
        return self.path.partition("#")[0].partition("?")[0]


@dataclass(frozen=True)
class Connection:
    """``address`` and ``port`` are where the caller wants to go. ``alpn`` is what a TLS client offers; of a plain connection, what it turns out
    to speak. ``principal`` is the URI in the caller's certificate."""

    address: str
    port: int
    source: str = ""
    tls: bool = False
    sni: str = ""
    alpn: tuple[str, ...] = ()
    principal: str = ""
