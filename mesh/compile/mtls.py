"""Which connections an inbound port takes, by what it speaks and what its PeerAuthentication asks for.

Source: istiod's filterchain_options.go, option for option.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mesh.compile import ports
from mesh.compile.listener import HTTP_ALPN
from mesh.model.service import Protocol
from mesh.resources.istio.security import MutualTLS

_HTTP: Final = ("istio-http/1.0", "istio-http/1.1", "istio-h2")
ALL_ALPN: Final = ("istio", "istio-peer-exchange", *_HTTP)
_TCP: Final = ("istio-peer-exchange", "istio")


@dataclass(frozen=True)
class Option:
    """One filter chain: what it matches, whether it reads HTTP, and whether it ends the TLS."""

    http: bool
    tls: bool = True
    transport: str = "tls"
    alpn: tuple[str, ...] = ()


def _plain(http: bool, alpn: tuple[str, ...] = ()) -> Option:
    return Option(http, False, "raw_buffer", alpn)


#: TLS that is the application's own business.
_OPAQUE: Final = Option(http=False, tls=False)

_HTTP_OPTIONS: Final = {
    MutualTLS.STRICT: (Option(http=True),),
    MutualTLS.PERMISSIVE: (Option(http=True, alpn=ALL_ALPN), _plain(http=True)),
    MutualTLS.DISABLE: (_plain(http=True),),
}
_TCP_OPTIONS: Final = {
    MutualTLS.STRICT: (Option(http=False),),
    MutualTLS.PERMISSIVE: (Option(http=False, alpn=ALL_ALPN), _OPAQUE, _plain(http=False)),
    MutualTLS.DISABLE: (_plain(http=False),),
}
_SNIFFED_OPTIONS: Final = {
    MutualTLS.STRICT: (Option(http=True, alpn=_HTTP), Option(http=False)),
    MutualTLS.PERMISSIVE: (
        Option(http=True, alpn=_HTTP),
        _plain(http=True, alpn=HTTP_ALPN),
        Option(http=False, alpn=_TCP),
        _plain(http=False),
        _OPAQUE,
    ),
    MutualTLS.DISABLE: (_plain(http=True, alpn=HTTP_ALPN), _plain(http=False)),
}


def options(protocol: Protocol, mode: MutualTLS) -> tuple[Option, ...]:
    if protocol.is_http:
        return _HTTP_OPTIONS[mode]
    return _SNIFFED_OPTIONS[mode] if ports.is_sniffed(protocol) else _TCP_OPTIONS[mode]
