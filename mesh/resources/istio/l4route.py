"""VirtualService's routes of TLS and TCP connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mesh.resources.istio.shared import Destination


@dataclass(frozen=True, slots=True)
class L4Match:
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_subnet: str = ""
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


@dataclass(frozen=True, slots=True)
class TLSMatch:
    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    source_labels: Mapping[str, str] = field(default_factory=dict)
    gateways: tuple[str, ...] = ()
    source_namespace: str = ""


@dataclass(frozen=True, slots=True)
class L4Destination:
    destination: Destination = field(default_factory=Destination)
    weight: int = 0


@dataclass(frozen=True, slots=True)
class TLSRoute:
    match: tuple[TLSMatch, ...] = ()
    route: tuple[L4Destination, ...] = ()


@dataclass(frozen=True, slots=True)
class TCPRoute:
    match: tuple[L4Match, ...] = ()
    route: tuple[L4Destination, ...] = ()
