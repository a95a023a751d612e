"""Gateway and Sidecar: the way in, and what a workload sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mesh.resources.istio.destinationrule import ConnectionPool
from mesh.resources.istio.shared import Destination, WorkloadSelector


@dataclass(frozen=True, slots=True)
class GatewayPort:
    number: int = 0
    protocol: str = ""
    name: str = ""
    target_port: int = 0


class ServerTLSMode(StrEnum):
    PASSTHROUGH = "PASSTHROUGH"
    SIMPLE = "SIMPLE"
    MUTUAL = "MUTUAL"
    AUTO_PASSTHROUGH = "AUTO_PASSTHROUGH"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"
    OPTIONAL_MUTUAL = "OPTIONAL_MUTUAL"


class TLSProtocol(StrEnum):
    TLS_AUTO = "TLS_AUTO"
    TLSV1_0 = "TLSV1_0"
    TLSV1_1 = "TLSV1_1"
    TLSV1_2 = "TLSV1_2"
    TLSV1_3 = "TLSV1_3"


@dataclass(frozen=True, slots=True)
class TLSCertificate:
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""


@dataclass(frozen=True, slots=True)
class ServerTLS:
    https_redirect: bool = False
    mode: ServerTLSMode = ServerTLSMode.PASSTHROUGH
    server_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    credential_names: tuple[str, ...] = ()
    ca_cert_credential_name: str = ""
    tls_certificates: tuple[TLSCertificate, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
    verify_certificate_spki: tuple[str, ...] = ()
    verify_certificate_hash: tuple[str, ...] = ()
    min_protocol_version: TLSProtocol = TLSProtocol.TLS_AUTO
    max_protocol_version: TLSProtocol = TLSProtocol.TLS_AUTO
    cipher_suites: tuple[str, ...] = ()
    insecure_skip_verify: bool | None = None


@dataclass(frozen=True, slots=True)
class GatewayServer:
    port: GatewayPort = field(default_factory=GatewayPort)
    hosts: tuple[str, ...] = ()
    name: str = ""
    bind: str = ""
    default_endpoint: str = ""
    tls: ServerTLS | None = None


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    selector: Mapping[str, str] = field(default_factory=dict)
    servers: tuple[GatewayServer, ...] = ()


class CaptureMode(StrEnum):
    DEFAULT = "DEFAULT"
    IPTABLES = "IPTABLES"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class EgressListener:
    hosts: tuple[str, ...] = ()
    port: GatewayPort | None = None
    bind: str = ""
    capture_mode: CaptureMode = CaptureMode.DEFAULT


@dataclass(frozen=True, slots=True)
class IngressListener:
    port: GatewayPort = field(default_factory=GatewayPort)
    bind: str = ""
    capture_mode: CaptureMode = CaptureMode.DEFAULT
    default_endpoint: str = ""
    tls: ServerTLS | None = None
    connection_pool: ConnectionPool | None = None


class OutboundMode(StrEnum):
    REGISTRY_ONLY = "REGISTRY_ONLY"
    ALLOW_ANY = "ALLOW_ANY"


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    mode: OutboundMode = OutboundMode.REGISTRY_ONLY
    egress_proxy: Destination | None = None


@dataclass(frozen=True, slots=True)
class SidecarSpec:
    workload_selector: WorkloadSelector | None = None
    egress: tuple[EgressListener, ...] = ()
    outbound_traffic_policy: OutboundPolicy | None = None
    ingress: tuple[IngressListener, ...] = ()
    inbound_connection_pool: ConnectionPool | None = None
