"""What istiod's configuration generator asks of a port's protocol."""

from __future__ import annotations

from typing import Final

from mesh.model.service import Port, Protocol, Service

_NAMES: Final = {each.value.lower(): each for each in Protocol if each is not Protocol.UNSUPPORTED}


def parse(text: str) -> Protocol:
    """A protocol as a Gateway or Sidecar names it, in any case."""
    return _NAMES.get(text.lower(), Protocol.UNSUPPORTED)


def is_tls(protocol: Protocol) -> bool:
    return protocol in (Protocol.HTTPS, Protocol.TLS)


def is_tcp(protocol: Protocol) -> bool:
    plain = (Protocol.TCP, Protocol.MONGO, Protocol.REDIS, Protocol.MYSQL)
    return protocol in plain or is_tls(protocol)


def is_sniffed(protocol: Protocol) -> bool:
    """Undeclared: whether it is HTTP is found out connection by connection."""
    return protocol is Protocol.UNSUPPORTED


def may_be_http(protocol: Protocol) -> bool:
    return protocol.is_http or is_sniffed(protocol)


def port_of(service: Service, number: int) -> Port | None:
    return next((port for port in service.ports if port.number == number), None)
