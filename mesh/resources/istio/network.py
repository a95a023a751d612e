"""Gateway and Sidecar: the way in, and what a workload sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mesh.resources.istio.shared import WorkloadSelector


@dataclass(frozen=True, slots=True)
class GatewayPort:
    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


@dataclass(frozen=True, slots=True)
class GatewayServer:
    port: GatewayPort = field(default_factory=GatewayPort)
    hosts: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    selector: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[GatewayServer, ...] = ()


@dataclass(frozen=True, slots=True)
class EgressListener:
    hosts: tuple[str, ...] = ()


class OutboundMode(StrEnum):
    REGISTRY_ONLY = "REGISTRY_ONLY"
    ALLOW_ANY = "ALLOW_ANY"


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    mode: OutboundMode = OutboundMode.REGISTRY_ONLY


@dataclass(frozen=True, slots=True)
class SidecarSpec:
    workload_selector: WorkloadSelector | None = None
    egress: tuple[EgressListener, ...] = ()
    outbound_traffic_policy: OutboundPolicy | None = None


@dataclass(frozen=True, slots=True)
class MeshConfig:
    """The mesh-wide settings that change what is compiled (a document of kind MeshConfig, fields at its top level)."""

    trust_domain: str = "cluster.local"
    root_namespace: str = "istio-system"
    outbound_traffic_policy: OutboundPolicy = field(
        default_factory=lambda: OutboundPolicy(OutboundMode.ALLOW_ANY)
    )
    access_log_file: str = ""
