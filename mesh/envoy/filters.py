"""The filters that need no settings of their own: built once, shared by every listener."""

from __future__ import annotations

from typing import Final

from envoy.config.listener.v3.listener_components_pb2 import Filter, ListenerFilter
from envoy.extensions.filters.http.cors.v3.cors_pb2 import Cors
from envoy.extensions.filters.http.fault.v3.fault_pb2 import HTTPFault
from envoy.extensions.filters.http.grpc_stats.v3.config_pb2 import FilterConfig as GrpcStats
from envoy.extensions.filters.http.grpc_web.v3.grpc_web_pb2 import GrpcWeb
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.listener.http_inspector.v3.http_inspector_pb2 import HttpInspector
from envoy.extensions.filters.listener.original_dst.v3.original_dst_pb2 import OriginalDst
from envoy.extensions.filters.listener.tls_inspector.v3.tls_inspector_pb2 import TlsInspector
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpFilter,
)
from envoy.extensions.filters.network.mongo_proxy.v3.mongo_proxy_pb2 import MongoProxy
from google.protobuf.message import Message

from mesh.envoy.typed import extension

FAULT: Final = "envoy.filters.http.fault"
CORS: Final = "envoy.filters.http.cors"
HTTP_RBAC: Final = "envoy.filters.http.rbac"
TCP_RBAC: Final = "envoy.filters.network.rbac"
JWT: Final = "envoy.filters.http.jwt_authn"
HTTP_CONNECTION_MANAGER: Final = "envoy.filters.network.http_connection_manager"
TCP_PROXY: Final = "envoy.filters.network.tcp_proxy"


def http(name: str, message: Message) -> HttpFilter:
    return HttpFilter(**extension(name, message))


def network(name: str, message: Message) -> Filter:
    return Filter(**extension(name, message))


def listener(name: str, message: Message) -> ListenerFilter:
    return ListenerFilter(**extension(name, message))


GRPC_STATS: Final = http(
    "envoy.filters.http.grpc_stats",
    GrpcStats(emit_filter_state=True, stats_for_all_methods={"value": False}),
)
GRPC_WEB: Final = http("envoy.filters.http.grpc_web", GrpcWeb())
FAULTS: Final = http(FAULT, HTTPFault())
CORS_FILTER: Final = http(CORS, Cors())

ORIGINAL_DESTINATION: Final = listener("envoy.filters.listener.original_dst", OriginalDst())
HTTP_INSPECTOR: Final = listener("envoy.filters.listener.http_inspector", HttpInspector())
#: A ClientHello is often larger than the first read; Istio starts with 512 bytes.
TLS_INSPECTOR: Final = listener(
    "envoy.filters.listener.tls_inspector", TlsInspector(initial_read_buffer_size={"value": 512})
)


def router(quiet: bool) -> HttpFilter:
    """The last of the chain. ``quiet`` leaves Envoy's own headers out."""
    return http("envoy.filters.http.router", Router(suppress_envoy_headers=quiet))


def mongo(stat_prefix: str) -> Filter:
    return network("envoy.filters.network.mongo_proxy", MongoProxy(stat_prefix=stat_prefix))
