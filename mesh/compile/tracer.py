"""Where spans are sent, and in which tracing system's language: an extension provider as Envoy's tracer.

Source: configureFromProviderConfig in pilot/pkg/networking/core/tracing.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from posixpath import join
from typing import Any, Final

from envoy.config.core.v3.base_pb2 import HeaderValueOption
from envoy.config.trace.v3.opentelemetry_pb2 import OpenTelemetryConfig
from envoy.config.trace.v3.skywalking_pb2 import SkyWalkingConfig
from envoy.config.trace.v3.zipkin_pb2 import ZipkinConfig
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.tracers.opentelemetry.resource_detectors.v3.environment_resource_detector_pb2 import (
    EnvironmentResourceDetectorConfig,
)
from google.protobuf.message import Message

from mesh.compile.lookup import lookup
from mesh.envoy.typed import extension
from mesh.model.service import Kind, Service, Workload
from mesh.resources.istio.providers import HTTPHeader, OpenTelemetry, Provider, ResourceDetectors, Zipkin

_SPANS: Final = "/api/v2/spans"
_OTLP_TIMEOUT: Final = timedelta(seconds=1)
_ZIPKIN_TIMEOUT: Final = timedelta(seconds=5)
_SEMANTIC: Final = "OTEL_SEMANTIC_CONVENTIONS"
_ENVIRONMENT: Final = "envoy.tracers.opentelemetry.resource_detectors.environment"


def tracer(
    provider: Provider, workload: Workload, services: Sequence[Service]
) -> HttpConnectionManager.Tracing | None:
    """None for a provider that is no tracing system. Raises Unknown when its service is not there."""
    longest = 0
    upstream = workload.kind is Kind.ROUTER
    made: tuple[str, Message]
    if given := provider.zipkin:
        longest, made = given.max_tag_length, ("envoy.tracers.zipkin", _zipkin(given, services))
    elif skywalking := provider.skywalking:
        host, cluster = lookup(services, skywalking.service, skywalking.port)
        made = ("envoy.tracers.skywalking", SkyWalkingConfig(grpc_service=_grpc(host, cluster)))
        upstream = True
    elif otel := provider.opentelemetry:
        longest, made = otel.max_tag_length, ("envoy.tracers.opentelemetry", _otel(otel, workload, services))
    else:
        return None
    return HttpConnectionManager.Tracing(
        provider=extension(*made),
        max_path_tag_length={"value": longest} if longest else None,
        spawn_upstream_span={"value": True} if upstream else None,
    )


def observatory(cluster: str, workload: Workload) -> HttpConnectionManager.Tracing:
    """This machine's own collector, by OTLP. A proxy's spans carry the name of the service beside it, as its own spans do."""
    named = workload.labels.get("service.istio.io/canonical-name") or workload.owner
    config = OpenTelemetryConfig(
        service_name=named, grpc_service=_grpc(cluster, cluster) | {"timeout": _OTLP_TIMEOUT}
    )
    upstream = workload.kind is Kind.ROUTER
    return HttpConnectionManager.Tracing(
        provider=extension("envoy.tracers.opentelemetry", config),
        spawn_upstream_span={"value": True} if upstream else None,
    )


def _zipkin(given: Zipkin, services: Sequence[Service]) -> ZipkinConfig:
    host, cluster = lookup(services, given.service, given.port)
    return ZipkinConfig(
        collector_endpoint_version=ZipkinConfig.HTTP_JSON,
        trace_id_128bit=not given.enable_64bit_trace_id,
        shared_span_context={"value": False},
        trace_context_option=given.trace_context_option,
        collector_service={
            "http_uri": {
                "uri": f"http://{host}{given.path or _SPANS}",
                "cluster": cluster,
                "timeout": given.timeout or _ZIPKIN_TIMEOUT,
            },
            "request_headers_to_add": _headers(given.headers),
        },
    )


def _otel(given: OpenTelemetry, workload: Workload, services: Sequence[Service]) -> OpenTelemetryConfig:
    host, cluster = lookup(services, given.service, given.port)
    semantic = given.service_attribute_enrichment == _SEMANTIC
    fields: dict[str, Any] = {"service_name": _service_name(workload) if semantic else ""}
    if given.http:
        uri = {"uri": _joined(host, given.http.path), "cluster": cluster, "timeout": given.http.timeout}
        headers = _headers(given.http.headers)
        fields["http_service"] = {"http_uri": uri, "request_headers_to_add": headers}
    else:
        fields["grpc_service"] = _grpc(host, cluster)
        if given.grpc:
            said = [{"key": each.name, "value": each.value} for each in given.grpc.initial_metadata]
            fields["grpc_service"] |= {"timeout": given.grpc.timeout, "initial_metadata": said}
    detectors = given.resource_detectors or ResourceDetectors()
    if detectors.environment or semantic:
        fields["resource_detectors"] = [extension(_ENVIRONMENT, EnvironmentResourceDetectorConfig())]
    return OpenTelemetryConfig(**fields)


def _joined(host: str, path: str) -> str:
    """As Go's url.JoinPath."""
    return join(host, path.lstrip("/")) if path else host


def _service_name(workload: Workload) -> str:
    named = workload.annotations.get("resource.opentelemetry.io/service.name")
    labels = (workload.labels.get(f"app.kubernetes.io/{key}") for key in ("instance", "name"))
    return named or next((label for label in labels if label), "") or workload.owner


def _grpc(host: str, cluster: str) -> dict[str, Any]:
    return {"envoy_grpc": {"cluster_name": cluster, "authority": host}}


def _headers(given: Iterable[HTTPHeader]) -> list[HeaderValueOption]:
    return [
        HeaderValueOption(
            header={"key": each.name, "value": each.value},
            append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for each in given
    ]
