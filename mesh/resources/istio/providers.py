"""Extension providers: the services of MeshConfig that authorization, telemetry and secrets may be handed to, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class RequestBody:
    max_request_bytes: int = 0
    allow_partial_message: bool = False
    pack_as_bytes: bool = False


@dataclass(frozen=True, slots=True)
class HTTPAuthorizer:
    service: str = ""
    port: int = 0
    timeout: timedelta | None = None
    path_prefix: str = ""
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: str = ""
    include_headers_in_check: tuple[str, ...] = ()
    include_request_headers_in_check: tuple[str, ...] = ()
    include_additional_headers_in_check: Mapping[str, str] = field(default_factory=dict)
    include_request_body_in_check: RequestBody | None = None
    headers_to_upstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_deny: tuple[str, ...] = ()
    headers_to_downstream_on_allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GRPCAuthorizer:
    service: str = ""
    port: int = 0
    timeout: timedelta | None = None
    fail_open: bool = False
    clear_route_cache: bool = False
    status_on_error: str = ""
    include_request_body_in_check: RequestBody | None = None


@dataclass(frozen=True, slots=True)
class LogFormat:
    text: str | None = None
    labels: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FileLog:
    path: str = ""
    log_format: LogFormat | None = None
    omit_empty_values: bool = False


@dataclass(frozen=True, slots=True)
class GRPCLog:
    service: str = ""
    port: int = 0
    log_name: str = ""
    filter_state_objects_to_log: tuple[str, ...] = ()
    additional_request_headers_to_log: tuple[str, ...] = ()
    additional_response_headers_to_log: tuple[str, ...] = ()
    additional_response_trailers_to_log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenTelemetryLog:
    service: str = ""
    port: int = 0
    log_name: str = ""
    log_format: LogFormat | None = None


@dataclass(frozen=True, slots=True)
class HTTPHeader:
    name: str = ""
    value: str = ""
    env_name: str = ""


@dataclass(frozen=True, slots=True)
class Zipkin:
    service: str = ""
    port: int = 0
    max_tag_length: int = 0
    enable_64bit_trace_id: bool = field(default=False, metadata={"name": "enable64bitTraceId"})
    path: str = ""
    trace_context_option: str = "USE_B3"
    timeout: timedelta | None = None
    headers: tuple[HTTPHeader, ...] = ()


@dataclass(frozen=True, slots=True)
class Datadog:
    service: str = ""
    port: int = 0
    max_tag_length: int = 0


@dataclass(frozen=True, slots=True)
class Skywalking:
    service: str = ""
    port: int = 0
    access_token: str = ""


@dataclass(frozen=True, slots=True)
class HTTPService:
    path: str = ""
    timeout: timedelta | None = None
    headers: tuple[HTTPHeader, ...] = ()


@dataclass(frozen=True, slots=True)
class GRPCService:
    timeout: timedelta | None = None
    initial_metadata: tuple[HTTPHeader, ...] = ()


@dataclass(frozen=True, slots=True)
class Detector:
    """A resource detector; it has no settings."""


@dataclass(frozen=True, slots=True)
class ResourceDetectors:
    environment: Detector | None = None
    dynatrace: Detector | None = None


@dataclass(frozen=True, slots=True)
class OpenTelemetry:
    service: str = ""
    port: int = 0
    max_tag_length: int = 0
    http: HTTPService | None = None
    grpc: GRPCService | None = None
    resource_detectors: ResourceDetectors | None = None
    service_attribute_enrichment: str = "ISTIO_CANONICAL"


@dataclass(frozen=True, slots=True)
class Nothing:
    """A provider without settings that matter here."""

    debug: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """One of the fields after ``name`` is given."""

    name: str = ""
    envoy_ext_authz_http: HTTPAuthorizer | None = None
    envoy_ext_authz_grpc: GRPCAuthorizer | None = None
    zipkin: Zipkin | None = None
    datadog: Datadog | None = None
    skywalking: Skywalking | None = None
    opentelemetry: OpenTelemetry | None = None
    prometheus: Nothing | None = None
    stackdriver: Nothing | None = None
    envoy_file_access_log: FileLog | None = None
    envoy_http_als: GRPCLog | None = None
    envoy_tcp_als: GRPCLog | None = None
    envoy_otel_als: OpenTelemetryLog | None = None


#: Istio's own, which a MeshConfig that lists providers adds to by name.
BUILT_IN = (
    Provider("prometheus", prometheus=Nothing()),
    Provider("stackdriver", stackdriver=Nothing()),
    Provider("envoy", envoy_file_access_log=FileLog("/dev/stdout")),
)


@dataclass(frozen=True, slots=True)
class DefaultProviders:
    tracing: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    access_logging: tuple[str, ...] = ()
