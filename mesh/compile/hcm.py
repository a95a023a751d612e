"""The HTTP connection manager: how a proxy reads HTTP, and the chain of filters that a request passes.

Source: istiod's buildHTTPConnectionManager. One for each side: outbound (from the application), inbound (to it), gateway.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from envoy.config.core.v3.config_source_pb2 import ApiVersion
from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions
from envoy.config.listener.v3.listener_components_pb2 import Filter
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
    HttpFilter,
    Rds,
)
from envoy.extensions.request_id.uuid.v3.uuid_pb2 import UuidRequestIdConfig

from mesh.compile import proxyheaders
from mesh.compile.side import Side
from mesh.envoy import filters
from mesh.envoy.typed import typed
from mesh.model.service import Protocol
from mesh.resources.istio.meshconfig import Normalization


def outbound(
    stat_prefix: str, routes: str, protocol: Protocol, side: Side, security: Iterable[HttpFilter] = ()
) -> Filter:
    """From the application: routes by name, learnt over RDS."""
    manager = _manager(stat_prefix, side, protocol, security)
    manager.rds.CopyFrom(_rds(routes))
    return _filter(manager)


def inbound(
    stat_prefix: str,
    routes: RouteConfiguration,
    protocol: Protocol,
    security: Iterable[HttpFilter],
    side: Side,
) -> Filter:
    """To the application: one route, and the caller's certificate told on to it."""
    manager = _manager(stat_prefix, side, protocol, security)
    manager.route_config.CopyFrom(routes)
    proxyheaders.tell_callers(manager, side.config.default_config.proxy_headers)
    if protocol.is_http2:
        manager.http2_protocol_options.SetInParent()
    return _filter(manager)


def gateway(
    stat_prefix: str, routes: str, protocol: Protocol, security: Iterable[HttpFilter], side: Side
) -> Filter:
    """From outside the mesh: the caller's address is what the connection says, and nothing it claims is believed."""
    manager = _manager(stat_prefix, side, protocol, security)
    manager.rds.CopyFrom(_rds(routes))
    proxyheaders.at_the_gateway(manager, side.config.default_config.gateway_topology)
    if not manager.HasField("http_protocol_options"):
        manager.http_protocol_options.CopyFrom(Http1ProtocolOptions())
    return _filter(manager)


def _manager(
    stat_prefix: str, side: Side, protocol: Protocol, security: Iterable[HttpFilter]
) -> HttpConnectionManager:
    manager = HttpConnectionManager(
        stat_prefix=stat_prefix,
        http_filters=_chain(security, protocol, side),
        access_log=side.logs,
        tracing=side.tracing,
        use_remote_address={"value": False},
        upgrade_configs=[{"upgrade_type": "websocket"}],
        stream_idle_timeout=timedelta(0),
        request_id_extension={"typed_config": typed(_request_id(side))},
        **_paths(side.config.path_normalization.normalization),
    )
    manager.proxy_100_continue = True
    proxyheaders.apply(manager, side.direction, side.config.default_config.proxy_headers)
    return manager


def _chain(security: Iterable[HttpFilter], protocol: Protocol, side: Side) -> list[HttpFilter]:
    web = [filters.GRPC_WEB] if protocol is Protocol.GRPC_WEB else []
    quiet = proxyheaders.hides_envoy(side.config.default_config.proxy_headers)
    fixed = [filters.GRPC_STATS, filters.FAULTS, filters.CORS_FILTER, filters.router(quiet)]
    return [*security, *web, *fixed]


def _paths(given: Normalization) -> dict[str, Any]:
    """How a path is made canonical before any rule looks at it."""
    decoded = given is Normalization.DECODE_AND_MERGE_SLASHES
    action = HttpConnectionManager.UNESCAPE_AND_FORWARD if decoded else HttpConnectionManager.KEEP_UNCHANGED
    return {
        "normalize_path": {"value": given is not Normalization.NONE},
        "merge_slashes": decoded or given is Normalization.MERGE_SLASHES,
        "path_with_escaped_slashes_action": action,
    }


def _request_id(side: Side) -> UuidRequestIdConfig:
    return UuidRequestIdConfig(use_request_id_for_trace_sampling={"value": side.by_request_id})


def _rds(name: str) -> Rds:
    source: dict[str, Any] = {
        "ads": {},
        "initial_fetch_timeout": timedelta(0),
        "resource_api_version": ApiVersion.V3,
    }
    return Rds(route_config_name=name, config_source=source)


def _filter(manager: HttpConnectionManager) -> Filter:
    return filters.network(filters.HTTP_CONNECTION_MANAGER, manager)
