"""Does a set of Envoy resources hang together: every name that is used is also there.

Used on a Snapshot before it is served (go-control-plane's ``Snapshot.Consistent`` is the model). A route to
a missing cluster answers 503 and a listener without its routes never starts, so neither may be sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy
from google.protobuf.message import Message

#: (who says it, the name that must exist)
Use = tuple[str, str]


def unresolved(
    clusters: Mapping[str, Message],
    endpoints: Mapping[str, Message],
    listeners: Mapping[str, Message],
    routes: Mapping[str, Message],
) -> list[str]:
    """One sentence for each name that is used and missing."""
    managers = _filters(listeners, HttpConnectionManager)
    proxies = _filters(listeners, TcpProxy)
    configs = [(f"route configuration {name!r}", config) for name, config in routes.items()]
    configs += [(who, manager.route_config) for who, manager in managers]
    used = [use for who, config in configs for use in _route_clusters(who, config)]
    used += [(who, cluster) for who, proxy in proxies for cluster in _tcp_clusters(proxy)]
    rds = [(who, manager.rds.route_config_name) for who, manager in managers if manager.HasField("rds")]
    return [
        *_missing("cluster", used, clusters),
        *_missing("endpoints", _eds_names(clusters), endpoints),
        *_missing("route configuration", rds, routes),
    ]


def _missing(kind: str, used: list[Use], present: Mapping[str, Message]) -> list[str]:
    lost = dict.fromkeys(use for use in used if use[1] not in present)
    return [f"{who} names the {kind} {name!r}, which the snapshot does not have" for who, name in lost]


def _eds_names(clusters: Mapping[str, Any]) -> list[Use]:
    eds = ((name, cluster) for name, cluster in clusters.items() if cluster.type == Cluster.EDS)
    return [(f"cluster {name!r}", cluster.eds_cluster_config.service_name or name) for name, cluster in eds]


def _filters(listeners: Mapping[str, Any], kind: type[Message]) -> list[tuple[str, Any]]:
    """Each filter of one kind, with the listener it is in."""
    return [
        (f"listener {name!r}", message)
        for name, listener in listeners.items()
        for message in _filters_of(listener, kind)
    ]


def _filters_of(listener: Any, kind: type[Message]) -> Iterator[Any]:
    for chain in [*listener.filter_chains, listener.default_filter_chain]:
        for entry in chain.filters:
            if entry.typed_config.Is(kind.DESCRIPTOR):
                message = kind()
                entry.typed_config.Unpack(message)
                yield message


def _route_clusters(who: str, config: Any) -> Iterator[Use]:
    for host in config.virtual_hosts:
        for route in host.routes:
            action = route.route
            names = [action.cluster, *(w.name for w in action.weighted_clusters.clusters)]
            names += [mirror.cluster for mirror in action.request_mirror_policies]
            yield from ((f"{who}, host {host.name!r}", name) for name in names if name)


def _tcp_clusters(tcp: Any) -> list[str]:
    return [name for name in (tcp.cluster, *(w.name for w in tcp.weighted_clusters.clusters)) if name]
