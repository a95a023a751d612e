"""Does a set of Envoy resources hang together: every name that is used is also there.

Used on a Snapshot before it is served (go-control-plane's ``Snapshot.Consistent`` is the model). A route to
a missing cluster answers 503 and a listener without its routes never starts, so neither may be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
    return [
        *_missing("cluster", _clusters_used(listeners, routes), clusters),
        *_missing("endpoints", _named("cluster", endpoints_of(clusters)), endpoints),
        *_missing("route configuration", _named("listener", routes_of(listeners)), routes),
    ]


def endpoints_of(clusters: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """By cluster, the endpoints (a ClusterLoadAssignment's name) that it learns over EDS, if any."""
    return {
        name: frozenset({cluster.eds_cluster_config.service_name or name})
        for name, cluster in clusters.items()
        if cluster.type == Cluster.EDS
    }


def routes_of(listeners: Mapping[str, Message]) -> dict[str, frozenset[str]]:
    """By listener, the route configurations that it learns over RDS."""
    managers = ((name, _filters(listener, HttpConnectionManager)) for name, listener in listeners.items())
    return {
        name: frozenset(m.rds.route_config_name for m in each if m.HasField("rds")) for name, each in managers
    }


def _clusters_used(listeners: Mapping[str, Message], routes: Mapping[str, Message]) -> Iterator[Use]:
    for name, config in routes.items():
        yield from _route_clusters(f"route configuration {name!r}", config)
    for name, listener in listeners.items():
        for manager in _filters(listener, HttpConnectionManager):
            yield from _route_clusters(f"listener {name!r}", manager.route_config)
        for proxy in _filters(listener, TcpProxy):
            yield from ((f"listener {name!r}", cluster) for cluster in _tcp_clusters(proxy))


def _named(kind: str, used: Mapping[str, frozenset[str]]) -> list[Use]:
    return [(f"{kind} {user!r}", name) for user, names in used.items() for name in sorted(names)]


def _missing(kind: str, used: Iterable[Use], present: Mapping[str, Message]) -> list[str]:
    lost = dict.fromkeys(use for use in used if use[1] not in present)
    return [f"{who} names the {kind} {name!r}, which the snapshot does not have" for who, name in lost]


def _filters(listener: Any, kind: type[Message]) -> list[Any]:
    chains = [*listener.filter_chains, listener.default_filter_chain]
    packed = (entry.typed_config for chain in chains for entry in chain.filters)
    return [_unpack(config, kind) for config in packed if config.Is(kind.DESCRIPTOR)]


def _unpack(config: Any, kind: type[Message]) -> Message:
    message = kind()
    config.Unpack(message)
    return message


def _route_clusters(who: str, config: Any) -> Iterator[Use]:
    for host in config.virtual_hosts:
        for route in host.routes:
            action = route.route
            names = [action.cluster, *(w.name for w in action.weighted_clusters.clusters)]
            names += [mirror.cluster for mirror in action.request_mirror_policies]
            yield from ((f"{who}, host {host.name!r}", name) for name in names if name)


def _tcp_clusters(tcp: Any) -> list[str]:
    return [name for name in (tcp.cluster, *(w.name for w in tcp.weighted_clusters.clusters)) if name]
