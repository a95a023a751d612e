"""Access logs: what Telemetry's providers write, else the file that MeshConfig names.

Source: pilot/pkg/networking/core/accesslog.go and pilot/pkg/model/telemetry_logging.go; the formats are in ``logformat``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog, AccessLogFilter
from envoy.config.core.v3.config_source_pb2 import ApiVersion
from envoy.extensions.access_loggers.filters.cel.v3.cel_pb2 import ExpressionFilter
from envoy.extensions.access_loggers.grpc.v3.als_pb2 import (
    CommonGrpcAccessLogConfig,
    HttpGrpcAccessLogConfig,
    TcpGrpcAccessLogConfig,
)
from envoy.extensions.access_loggers.open_telemetry.v3.logs_service_pb2 import OpenTelemetryAccessLogConfig

from mesh.compile import logformat
from mesh.compile.lookup import Unknown, lookup
from mesh.compile.telemetry import Direction, Log, Telemetry
from mesh.envoy.typed import extension
from mesh.model.service import Service
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.providers import GRPCLog, OpenTelemetryLog, Provider

_HTTP: Final = "envoy.access_loggers.http_grpc"
_TCP: Final = "envoy.tcp_grpc_access_log"
_PEERS: Final = ("upstream_peer", "downstream_peer")
_ALL_PEERS: Final = (
    *_PEERS,
    "wasm.upstream_peer",
    "wasm.upstream_peer_id",
    "wasm.downstream_peer",
    "wasm.downstream_peer_id",
)
_SERVICE: Final = "envoy_accesslog_service"
_NO_ROUTE: Final = AccessLogFilter(response_flag_filter={"flags": ["NR"]})


class Logs:
    """What one side of a proxy writes: of HTTP requests, of TCP connections, and of connections that no filter chain took."""

    def __init__(self, telemetry: Telemetry, direction: Direction, services: Sequence[Service]) -> None:
        config = telemetry.config
        said = [(log, made) for log in telemetry.logs(direction) if (made := _made(log, config, services))]
        if said:
            written = [made for log, made in said if not log.disabled]
            self.http = self.tcp = written
            self.listener = [] if config.disable_envoy_listener_log else _unrouted(written)
            return
        file = [logformat.mesh_file(config.access_log_file, config)] if config.access_log_file else []
        service = config.enable_envoy_access_log_service
        self.http = [*file, *([_http_service()] if service else [])]
        self.tcp = [*file, *([_tcp_service("tcp_envoy_accesslog")] if service else [])]
        of_listener = [*file, *([_tcp_service("listener_envoy_accesslog")] if service else [])]
        self.listener = [] if config.disable_envoy_listener_log else _unrouted(of_listener)


def _unrouted(logs: Iterable[AccessLog]) -> list[AccessLog]:
    """Only connections that no filter chain took, such as TLS of the wrong kind."""
    return [_filtered(log) for log in logs]


def _filtered(log: AccessLog) -> AccessLog:
    made = AccessLog()
    made.CopyFrom(log)
    if log.HasField("filter"):
        made.filter.CopyFrom(AccessLogFilter(and_filter={"filters": [_NO_ROUTE, log.filter]}))
    else:
        made.filter.CopyFrom(_NO_ROUTE)
    return made


def _made(log: Log, config: MeshConfig, services: Sequence[Service]) -> AccessLog | None:
    """None for a provider that writes no logs, or to a service that is not there."""
    try:
        made = _of_provider(log.provider, config, services)
    except Unknown:
        return None
    if made is not None and log.filter is not None:
        expression = ExpressionFilter(expression=log.filter.expression)
        made.filter.extension_filter.CopyFrom(
            AccessLogFilter(
                extension_filter=extension("envoy.access_loggers.extension_filters.cel", expression)
            ).extension_filter
        )
    return made


def _of_provider(provider: Provider, config: MeshConfig, services: Sequence[Service]) -> AccessLog | None:
    if file := provider.envoy_file_access_log:
        built_in = provider.name == "envoy" and file.log_format is None and not file.omit_empty_values
        return logformat.mesh_file(file.path, config) if built_in else logformat.file(file)
    if http := provider.envoy_http_als:
        message = HttpGrpcAccessLogConfig(
            common_config=_common(http, "http_envoy_accesslog", services),
            additional_request_headers_to_log=http.additional_request_headers_to_log,
            additional_response_headers_to_log=http.additional_response_headers_to_log,
            additional_response_trailers_to_log=http.additional_response_trailers_to_log,
        )
        return AccessLog(**extension(_HTTP, message))
    if tcp := provider.envoy_tcp_als:
        common = _common(tcp, "tcp_envoy_accesslog", services)
        return AccessLog(**extension(_TCP, TcpGrpcAccessLogConfig(common_config=common)))
    return _open_telemetry(provider.envoy_otel_als, services) if provider.envoy_otel_als else None


def _common(given: GRPCLog, name: str, services: Sequence[Service]) -> CommonGrpcAccessLogConfig:
    host, cluster = lookup(services, given.service, given.port)
    state = given.filter_state_objects_to_log or _PEERS
    return _grpc(given.log_name or name, {"cluster_name": cluster, "authority": host}, state)


def _grpc(name: str, service: dict[str, Any], state: Sequence[str]) -> CommonGrpcAccessLogConfig:
    return CommonGrpcAccessLogConfig(
        log_name=name,
        grpc_service={"envoy_grpc": service},
        transport_api_version=ApiVersion.V3,
        filter_state_objects_to_log=state,
    )


def _open_telemetry(given: OpenTelemetryLog, services: Sequence[Service]) -> AccessLog:
    host, cluster = lookup(services, given.service, given.port)
    service = {"cluster_name": cluster, "authority": host}
    text = (given.log_format.text if given.log_format else None) or logformat.TEXT
    labels = (given.log_format.labels if given.log_format else None) or {}
    attributes = [{"key": key, "value": {"string_value": str(labels[key])}} for key in sorted(labels)]
    message = OpenTelemetryAccessLogConfig(
        common_config=_grpc(given.log_name or "otel_envoy_accesslog", service, _ALL_PEERS),
        disable_builtin_labels=True,
        body={"string_value": text},
        attributes={"values": attributes} if attributes else None,
        formatters=logformat.formatters(text, *map(str, labels.values())),
    )
    return AccessLog(**extension("envoy.access_loggers.open_telemetry", message))


def _http_service() -> AccessLog:
    common = _grpc("http_envoy_accesslog", {"cluster_name": _SERVICE}, _ALL_PEERS)
    return AccessLog(**extension(_HTTP, HttpGrpcAccessLogConfig(common_config=common)))


def _tcp_service(name: str) -> AccessLog:
    common = _grpc(name, {"cluster_name": _SERVICE}, _ALL_PEERS)
    return AccessLog(**extension(_TCP, TcpGrpcAccessLogConfig(common_config=common)))
