"""The smallest configuration of a sidecar that calls somebody, in istiod's form."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401 (ParseDict looks it up by name)
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2,  # noqa: F401
)
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401
from google.protobuf.json_format import ParseDict

from mesh.envoy.snapshot import Snapshot

Config = dict[str, Any]

_TYPE = "type.googleapis.com/envoy.extensions."
_ADS = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
_HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": _TYPE + "upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}


def caller(*, route: str = "b", **endpoints: int) -> Snapshot:
    """A sidecar with one outbound listener, whose requests go to the cluster ``route``.

    ``endpoints`` are clusters and the ports they go to on 127.0.0.1.
    """
    return Snapshot(
        clusters={name: ParseDict(_eds_cluster(name), Cluster()) for name in endpoints},
        endpoints={
            name: ParseDict(_assignment(name, port), ClusterLoadAssignment())
            for name, port in endpoints.items()
        },
        listeners={"out": ParseDict(_listener("out"), Listener())},
        routes={"out": ParseDict(_routes("out", route), RouteConfiguration())},
    )


def _eds_cluster(name: str) -> Config:
    return {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _ADS, "service_name": name},
        "connect_timeout": "1s",
        "typed_extension_protocol_options": _HTTP2,
    }


def _assignment(name: str, port: int) -> Config:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _listener(name: str) -> Config:
    manager: Config = {
        "@type": _TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "HTTP2",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": _TYPE + "filters.http.router.v3.Router"},
            }
        ],
        "rds": {"config_source": _ADS, "route_config_name": name},
    }
    http = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {"name": name, "address": _address(0), "filter_chains": [{"filters": [http]}]}


def _routes(name: str, cluster: str) -> Config:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    return {"name": name, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]}


def _address(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
