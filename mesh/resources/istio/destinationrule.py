"""DestinationRule: what happens to traffic after routing: subsets, balancing, pools, ejection, TLS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from mesh.resources.istio.locality import LocalityLoadBalancer, ZoneAwareLoadBalancer
from mesh.resources.istio.shared import PortSelector, WorkloadSelector
from mesh.resources.scalar import DurationOrZero


class Balancer(StrEnum):
    UNSPECIFIED = "UNSPECIFIED"
    LEAST_CONN = "LEAST_CONN"
    RANDOM = "RANDOM"
    PASSTHROUGH = "PASSTHROUGH"
    ROUND_ROBIN = "ROUND_ROBIN"
    LEAST_REQUEST = "LEAST_REQUEST"


@dataclass(frozen=True, slots=True)
class CookieAttribute:
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class HTTPCookie:
    name: str = ""
    path: str = ""
    ttl: DurationOrZero | None = None
    attributes: tuple[CookieAttribute, ...] = ()


@dataclass(frozen=True, slots=True)
class RingHash:
    minimum_ring_size: int = 0


@dataclass(frozen=True, slots=True)
class Maglev:
    table_size: int = 0


@dataclass(frozen=True, slots=True)
class ConsistentHash:
    http_header_name: str = ""
    http_cookie: HTTPCookie | None = None
    use_source_ip: bool = False
    http_query_parameter_name: str = ""
    ring_hash: RingHash | None = None
    maglev: Maglev | None = None
    minimum_ring_size: int = 0


@dataclass(frozen=True, slots=True)
class Warmup:
    duration: timedelta | None = None
    minimum_percent: float | None = None
    aggression: float | None = None


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    simple: Balancer | None = None
    consistent_hash: ConsistentHash | None = None
    locality_lb_setting: LocalityLoadBalancer | None = None
    zone_aware_lb_setting: ZoneAwareLoadBalancer | None = None
    warmup_duration_secs: timedelta | None = None
    warmup: Warmup | None = None


@dataclass(frozen=True, slots=True)
class Keepalive:
    probes: int = 0
    time: timedelta | None = None
    interval: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Tcp:
    max_connections: int = 0
    connect_timeout: timedelta | None = None
    tcp_keepalive: Keepalive | None = None
    max_connection_duration: timedelta | None = None
    idle_timeout: DurationOrZero | None = None


class UpgradePolicy(StrEnum):
    DEFAULT = "DEFAULT"
    DO_NOT_UPGRADE = "DO_NOT_UPGRADE"
    UPGRADE = "UPGRADE"


@dataclass(frozen=True, slots=True)
class HTTP2Keepalive:
    interval: timedelta | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HTTPSettings:
    http1_max_pending_requests: int = field(default=0, metadata={"name": "http1MaxPendingRequests"})
    http2_max_requests: int = field(default=0, metadata={"name": "http2MaxRequests"})
    max_requests_per_connection: int = 0
    max_retries: int = 0
    idle_timeout: timedelta | None = None
    max_concurrent_streams: int = 0
    h2_upgrade_policy: UpgradePolicy = field(
        default=UpgradePolicy.DEFAULT, metadata={"name": "h2UpgradePolicy"}
    )
    use_client_protocol: bool = False
    http2_keep_alive: HTTP2Keepalive | None = field(default=None, metadata={"name": "http2KeepAlive"})


@dataclass(frozen=True, slots=True)
class ConnectionPool:
    tcp: Tcp | None = None
    http: HTTPSettings | None = None


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    consecutive_errors: int | None = None
    consecutive5xx_errors: int | None = field(default=None, metadata={"name": "consecutive5xxErrors"})
    consecutive_gateway_errors: int | None = None
    consecutive_local_origin_failures: int | None = None
    split_external_local_origin_errors: bool = False
    interval: timedelta | None = None
    base_ejection_time: timedelta | None = None
    max_ejection_percent: int = 0
    min_health_percent: int = 0
    outlier_detection_http_error_codes: tuple[int, ...] = ()


class TLSMode(StrEnum):
    DISABLE = "DISABLE"
    SIMPLE = "SIMPLE"
    MUTUAL = "MUTUAL"
    ISTIO_MUTUAL = "ISTIO_MUTUAL"


@dataclass(frozen=True, slots=True)
class ClientTLS:
    mode: TLSMode = TLSMode.DISABLE
    sni: str = ""
    client_certificate: str = ""
    private_key: str = ""
    ca_certificates: str = ""
    ca_crl: str = ""
    credential_name: str = ""
    subject_alt_names: tuple[str, ...] = ()
    insecure_skip_verify: bool | None = None


@dataclass(frozen=True, slots=True)
class PortTrafficPolicy:
    port: PortSelector = field(default_factory=PortSelector)
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLS | None = None


@dataclass(frozen=True, slots=True)
class Tunnel:
    protocol: str = ""
    target_host: str = ""
    target_port: int = 0


class ProxyProtocolVersion(StrEnum):
    V1 = "V1"
    V2 = "V2"


@dataclass(frozen=True, slots=True)
class ProxyProtocol:
    version: ProxyProtocolVersion = ProxyProtocolVersion.V1


@dataclass(frozen=True, slots=True)
class RetryBudget:
    percent: float | None = None
    min_retry_concurrency: int = 0
    budget_interval: DurationOrZero | None = None


@dataclass(frozen=True, slots=True)
class TrafficPolicy:
    load_balancer: LoadBalancer | None = None
    connection_pool: ConnectionPool | None = None
    outlier_detection: OutlierDetection | None = None
    tls: ClientTLS | None = None
    port_level_settings: tuple[PortTrafficPolicy, ...] = ()
    tunnel: Tunnel | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None


@dataclass(frozen=True, slots=True)
class Subset:
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    traffic_policy: TrafficPolicy | None = None


@dataclass(frozen=True, slots=True)
class DestinationRuleSpec:
    host: str = ""
    traffic_policy: TrafficPolicy | None = None
    subsets: tuple[Subset, ...] = ()
    export_to: tuple[str, ...] = ()
    workload_selector: WorkloadSelector | None = None
