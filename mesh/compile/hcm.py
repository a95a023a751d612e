"""The HTTP connection manager: how a proxy reads HTTP, and the chain of filters that a request passes.

Source: istiod's buildHTTPConnectionManager. One for each side: outbound (from the application), inbound (to it), gateway.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from envoy.config.core.v3.config_source_pb2 import ApiVersion
from envoy.config.listener.v3.listener_components_pb2 import Filter
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
    Rds,
)
from envoy.extensions.request_id.uuid.v3.uuid_pb2 import UuidRequestIdConfig

from mesh.compile import accesslog
from mesh.compile.tracing import tracing
from mesh.envoy import filters
from mesh.envoy.typed import typed
from mesh.model.service import Protocol, Workload
from mesh.resources.istio.meshconfig import MeshConfig

_SERVER = "istio-envoy"


def outbound(
    stat_prefix: str, routes: str, protocol: Protocol, workload: Workload, config: MeshConfig
) -> Filter:
    """From the application: routes by name, learnt over RDS."""
    manager = _manager(stat_prefix, workload, config, _chain((), protocol))
    manager.rds.CopyFrom(_rds(routes))
    return _filter(manager)


def inbound(
    stat_prefix: str,
    routes: RouteConfiguration,
    protocol: Protocol,
    security: Iterable[HttpFilter],
    workload: Workload,
    config: MeshConfig,
) -> Filter:
    """To the application: one route, and the caller's certificate told on to it."""
    manager = _manager(stat_prefix, workload, config, _chain(security, protocol))
    manager.route_config.CopyFrom(routes)
    manager.server_name = _SERVER
    manager.forward_client_cert_details = HttpConnectionManager.APPEND_FORWARD
    details = manager.set_current_client_cert_details
    details.subject.value = details.uri = details.dns = True
    if protocol.is_http2:
        manager.http2_protocol_options.SetInParent()
    return _filter(manager)


def gateway(
    stat_prefix: str,
    routes: str,
    protocol: Protocol,
    security: Iterable[HttpFilter],
    workload: Workload,
    config: MeshConfig,
) -> Filter:
    """From outside the mesh: the caller's address is what the connection says, and nothing it claims is believed."""
    manager = _manager(stat_prefix, workload, config, _chain(security, protocol))
    manager.rds.CopyFrom(_rds(routes))
    manager.server_name = _SERVER
    manager.use_remote_address.value = True
    manager.http_protocol_options.SetInParent()
    manager.forward_client_cert_details = HttpConnectionManager.SANITIZE_SET
    details = manager.set_current_client_cert_details
    details.subject.value = details.cert = details.uri = details.dns = True
    return _filter(manager)


def _manager(
    stat_prefix: str, workload: Workload, config: MeshConfig, chain: list[HttpFilter]
) -> HttpConnectionManager:
    manager = HttpConnectionManager(
        stat_prefix=stat_prefix,
        http_filters=chain,
        access_log=accesslog.requests(config),
        tracing=tracing(workload) if config.enable_tracing else None,
        use_remote_address={"value": False},
        upgrade_configs=[{"upgrade_type": "websocket"}],
        stream_idle_timeout=timedelta(0),
        normalize_path={"value": True},
        path_with_escaped_slashes_action=HttpConnectionManager.KEEP_UNCHANGED,
        request_id_extension={"typed_config": typed(_request_id())},
    )
    manager.proxy_100_continue = True
    return manager


def _chain(security: Iterable[HttpFilter], protocol: Protocol) -> list[HttpFilter]:
    web = [filters.GRPC_WEB] if protocol is Protocol.GRPC_WEB else []
    fixed = [filters.GRPC_STATS, filters.FAULTS, filters.CORS_FILTER, filters.ROUTER]
    return [*security, *web, *fixed]


def _request_id() -> UuidRequestIdConfig:
    return UuidRequestIdConfig(use_request_id_for_trace_sampling={"value": True})


def _rds(name: str) -> Rds:
    source: dict[str, Any] = {
        "ads": {},
        "initial_fetch_timeout": timedelta(0),
        "resource_api_version": ApiVersion.V3,
    }
    return Rds(route_config_name=name, config_source=source)


def _filter(manager: HttpConnectionManager) -> Filter:
    return filters.network(filters.HTTP_CONNECTION_MANAGER, manager)
