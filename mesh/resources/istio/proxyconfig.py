"""ProxyConfig: what MeshConfig's defaultConfig says of every proxy, as far as it changes what is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.resources.istio.telemetry import CustomTag


@dataclass(frozen=True, slots=True)
class ProxyTracing:
    custom_tags: Mapping[str, CustomTag] = field(default_factory=dict)
    max_path_tag_length: int = 0
    sampling: float = 0.0
    enable_istio_tags: bool | None = None
    zipkin: Any = None
    datadog: Any = None
    tls_settings: Any = None


@dataclass(frozen=True, slots=True)
class Disabled:
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Enabled:
    enabled: bool = False


@dataclass(frozen=True, slots=True)
class ServerHeader:
    disabled: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class ClientCertDetails:
    subject: bool | None = None
    cert: bool | None = None
    chain: bool | None = None
    dns: bool | None = None
    uri: bool | None = None


@dataclass(frozen=True, slots=True)
class ProxyHeaders:
    forwarded_client_cert: str = "UNDEFINED"
    set_current_client_cert_details: ClientCertDetails | None = None
    request_id: Disabled = field(default_factory=Disabled)
    server: ServerHeader | None = None
    attempt_count: Disabled = field(default_factory=Disabled)
    envoy_debug_headers: Disabled = field(default_factory=Disabled)
    metadata_exchange_headers: Any = None
    preserve_http1_header_case: bool = field(default=False, metadata={"name": "preserveHttp1HeaderCase"})
    x_forwarded_host: Enabled = field(default_factory=Enabled)
    x_forwarded_port: Enabled = field(default_factory=Enabled)


@dataclass(frozen=True, slots=True)
class Topology:
    num_trusted_proxies: int = 0
    forward_client_cert_details: str = "UNDEFINED"
    proxy_protocol: Any = None


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """The rest is about how a proxy is started, and changes nothing that it is sent."""

    tracing: ProxyTracing = field(default_factory=ProxyTracing)
    proxy_headers: ProxyHeaders | None = None
    gateway_topology: Topology = field(default_factory=Topology)
    mesh_id: str = ""
    discovery_address: str = ""
    concurrency: int | None = None
    proxy_metadata: Mapping[str, str] = field(default_factory=dict)
    hold_application_until_proxy_starts: bool | None = None
    drain_duration: Any = None
    termination_drain_duration: Any = None
    proxy_stats_matcher: Any = None
    extra_stat_tags: tuple[str, ...] = ()
    status_port: int = 0
    image: Any = None
    connection_settings: Any = None
