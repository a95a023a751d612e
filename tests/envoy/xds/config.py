"""The smallest configuration of two sidecars, in istiod's form: one calls the other over mutual TLS."""

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
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2  # noqa: F401
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401
from google.protobuf.json_format import ParseDict

from mesh.envoy.snapshot import Snapshot
from mesh.model.identity import Identity

Config = dict[str, Any]

_TYPE = "type.googleapis.com/envoy.extensions."
_ADS = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
_HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": _TYPE + "upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
        # A connection for each call: every call shows what the certificates of this moment allow.
        "common_http_protocol_options": {"max_requests_per_connection": 1},
    }
}


def caller(*, route: str = "b", expects: Identity | None = None, **endpoints: int) -> Snapshot:
    """A sidecar with one outbound listener, whose requests go to the cluster ``route``.

    ``endpoints`` are clusters and the ports they go to on 127.0.0.1; over TLS to ``expects``, when given.
    """
    return Snapshot(
        clusters={name: ParseDict(_eds_cluster(name, expects), Cluster()) for name in endpoints},
        endpoints={
            name: ParseDict(_assignment(name, port), ClusterLoadAssignment())
            for name, port in endpoints.items()
        },
        listeners={"out": ParseDict(_listener("out", [{"filters": [_http("out", rds=True)]}]), Listener())},
        routes={"out": ParseDict(_routes("out", route), RouteConfiguration())},
    )


def called(application: int, *, trust_domain: str = "cluster.local") -> Snapshot:
    """A sidecar with one inbound listener that takes only mutual TLS, in front of an application's port."""
    context = {
        "@type": _TYPE + "transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": _tls([{"prefix": f"spiffe://{trust_domain}/"}], ["h2"]),
        "require_client_certificate": True,
    }
    chain = {
        "filters": [_http("in", rds=False)],
        "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context},
    }
    cluster = {
        "name": "application",
        "type": "STATIC",
        "load_assignment": _assignment("application", application),
        "typed_extension_protocol_options": _HTTP2,
    }
    return Snapshot(
        clusters={"application": ParseDict(cluster, Cluster())},
        listeners={"in": ParseDict(_listener("in", [chain]), Listener())},
    )


def _eds_cluster(name: str, expects: Identity | None) -> Config:
    cluster: Config = {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _ADS, "service_name": name},
        "connect_timeout": "1s",
        "typed_extension_protocol_options": _HTTP2,
    }
    if expects:
        context = {
            "@type": _TYPE + "transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": _tls([{"exact": expects.spiffe}], ["istio", "h2"]),
            "sni": f"outbound_.80_._.{name}",
        }
        cluster["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": context}
    return cluster


def _tls(names: list[Config], alpn: list[str]) -> Config:
    return {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
        "tls_certificate_sds_secret_configs": [_sds("default")],
        "combined_validation_context": {
            "default_validation_context": {"match_subject_alt_names": names},
            "validation_context_sds_secret_config": _sds("ROOTCA"),
        },
        "alpn_protocols": alpn,
    }


def _sds(name: str) -> Config:
    source = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "sds-grpc"}}],
        "set_node_on_first_message_only": True,
    }
    config = {"api_config_source": source, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    return {"name": name, "sds_config": config}


def _assignment(name: str, port: int) -> Config:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}


def _listener(name: str, chains: list[Config]) -> Config:
    return {"name": name, "address": _address(0), "filter_chains": chains}


def _http(name: str, *, rds: bool) -> Config:
    router = {"@type": _TYPE + "filters.http.router.v3.Router"}
    manager: Config = {
        "@type": _TYPE + "filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "HTTP2",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    if rds:
        manager["rds"] = {"config_source": _ADS, "route_config_name": name}
    else:
        manager["route_config"] = _routes(name, "application")
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def _routes(name: str, cluster: str) -> Config:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster}}
    return {"name": name, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]}


def _address(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
