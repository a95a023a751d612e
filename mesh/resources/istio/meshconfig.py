"""MeshConfig: the mesh-wide settings that change what is compiled.

A document of kind MeshConfig has these fields at its top level. The defaults are those of istiod's DefaultMeshConfig
(pkg/config/mesh/mesh.go).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from mesh.resources.istio.destinationrule import ConnectionPool, Keepalive, OutlierDetection
from mesh.resources.istio.locality import LocalityLoadBalancer
from mesh.resources.istio.network import OutboundMode, OutboundPolicy
from mesh.resources.istio.providers import BUILT_IN, DefaultProviders, Provider
from mesh.resources.istio.proxyconfig import ProxyConfig
from mesh.resources.istio.virtualservice import HTTPRetry


class AccessLogEncoding(StrEnum):
    TEXT = "TEXT"
    JSON = "JSON"


class UpgradeAll(StrEnum):
    DO_NOT_UPGRADE = "DO_NOT_UPGRADE"
    UPGRADE = "UPGRADE"


class InboundMode(StrEnum):
    PASSTHROUGH = "PASSTHROUGH"
    LOCALHOST = "LOCALHOST"


@dataclass(frozen=True, slots=True)
class InboundPolicy:
    mode: InboundMode = InboundMode.PASSTHROUGH


@dataclass(frozen=True, slots=True)
class TLSDefaults:
    min_protocol_version: str = "TLS_AUTO"
    ecdh_curves: tuple[str, ...] = ()
    cipher_suites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DefaultTrafficPolicy:
    """What every DestinationRule leaves unsaid."""

    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None


class Normalization(StrEnum):
    DEFAULT = "DEFAULT"
    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"


@dataclass(frozen=True, slots=True)
class PathNormalization:
    normalization: Normalization = Normalization.DEFAULT


_PUBLIC: Final = ("*",)


@dataclass(frozen=True, slots=True)
class MeshConfig:
    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    root_namespace: str = "istio-system"
    outbound_traffic_policy: OutboundPolicy = field(
        default_factory=lambda: OutboundPolicy(OutboundMode.ALLOW_ANY)
    )
    inbound_traffic_policy: InboundPolicy = field(default_factory=InboundPolicy)
    access_log_file: str = ""
    access_log_format: str = ""
    access_log_encoding: AccessLogEncoding = AccessLogEncoding.TEXT
    connect_timeout: timedelta = timedelta(seconds=10)
    tcp_keepalive: Keepalive | None = None
    protocol_detection_timeout: timedelta = timedelta(0)
    enable_tracing: bool = True
    enable_auto_mtls: bool = True
    default_http_retry_policy: HTTPRetry | None = None
    default_service_export_to: tuple[str, ...] = _PUBLIC
    default_virtual_service_export_to: tuple[str, ...] = _PUBLIC
    default_destination_rule_export_to: tuple[str, ...] = _PUBLIC
    locality_lb_setting: LocalityLoadBalancer = field(
        default_factory=lambda: LocalityLoadBalancer(enabled=True)
    )
    dns_refresh_rate: timedelta = timedelta(seconds=60)
    h2_upgrade_policy: UpgradeAll = field(
        default=UpgradeAll.DO_NOT_UPGRADE, metadata={"name": "h2UpgradePolicy"}
    )
    default_traffic_policy: DefaultTrafficPolicy = field(default_factory=DefaultTrafficPolicy)
    extension_providers: tuple[Provider, ...] = ()
    default_providers: DefaultProviders = field(default_factory=DefaultProviders)
    default_config: ProxyConfig = field(default_factory=ProxyConfig)
    path_normalization: PathNormalization = field(default_factory=PathNormalization)
    enable_envoy_access_log_service: bool = False
    disable_envoy_listener_log: bool = False
    tls_defaults: TLSDefaults | None = None
    mesh_mtls: TLSDefaults | None = field(default=None, metadata={"name": "meshMTLS"})

    def provider(self, name: str) -> Provider | None:
        """An extension provider by its name, in any case; one that MeshConfig lists replaces Istio's of that name."""
        known = {each.name: each for each in (*BUILT_IN, *self.extension_providers)}
        return next((each for key, each in known.items() if key.lower() == name.lower()), None)
