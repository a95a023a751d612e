"""One static Envoy configuration that holds every resource of many snapshots, for `envoy --mode validate`.

What a proxy learns over ADS is written out in place: endpoints in their clusters, routes in their listeners; secrets it would ask for. Names and
ports are made unique, since the resources come from different proxies; nothing else is changed. One cluster of each name keeps it, for what
names a cluster, as tracers do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mesh.envoy.snapshot import Snapshot, to_json

_SECRETS = {
    "name": "sds-grpc",
    "type": "STATIC",
    "connectTimeout": "1s",
    "typedExtensionProtocolOptions": {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicitHttpConfig": {"http2ProtocolOptions": {}},
        }
    },
    "loadAssignment": {
        "clusterName": "sds-grpc",
        "endpoints": [{"lbEndpoints": [{"endpoint": {"address": {"pipe": {"path": "xds.sock"}}}}]}],
    },
}
_SDS = {
    "resourceApiVersion": "V3",
    "apiConfigSource": {
        "apiType": "GRPC",
        "transportApiVersion": "V3",
        "grpcServices": [{"envoyGrpc": {"clusterName": "sds-grpc"}}],
    },
}


def bootstrap(snapshots: Iterable[Snapshot]) -> str:
    """The configuration as JSON; equal resources are in it once."""
    clusters: dict[str, Any] = {}
    named: dict[str, Any] = {}
    listeners: dict[str, Any] = {}
    for snapshot in snapshots:
        plain = json.loads(json.dumps(to_json(snapshot)))
        endpoints = {each["clusterName"]: each for each in plain["endpoints"]}
        routes = {each["name"]: each for each in plain["routes"]}
        for cluster in plain["clusters"]:
            _inline(cluster, routes)
            made = _static(cluster, endpoints)
            _add(clusters, made)
            named.setdefault(made["name"], made)
        for listener in plain["listeners"]:
            _inline(listener, routes)
            _add(listeners, listener)
    resources = {
        "clusters": [_SECRETS, *named.values(), *clusters.values()],
        "listeners": _spread(listeners.values()),
    }
    return json.dumps({"node": {"id": "validate", "cluster": "validate"}, "staticResources": resources})


def _add(found: dict[str, Any], resource: dict[str, Any]) -> None:
    key = json.dumps(resource, sort_keys=True)
    found.setdefault(key, {**resource, "name": f"{len(found)} {resource['name']}"})


def _static(cluster: dict[str, Any], endpoints: dict[str, Any]) -> dict[str, Any]:
    if cluster.get("type") != "EDS":
        return cluster
    kept = {key: value for key, value in cluster.items() if key != "edsClusterConfig"}
    return kept | {"type": "STATIC", "loadAssignment": endpoints[cluster["name"]]}


def _inline(value: Any, routes: dict[str, Any]) -> None:
    if isinstance(value, dict):
        if "rds" in value:
            value["routeConfig"] = routes[value.pop("rds")["routeConfigName"]]
        if "sdsConfig" in value:
            value["sdsConfig"] = _SDS
        for each in value.values():
            _inline(each, routes)
    elif isinstance(value, list):
        for each in value:
            _inline(each, routes)


def _spread(listeners: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A port each: Envoy binds none of them while it validates, but it compares them."""
    found = list(listeners)
    for port, listener in enumerate(found, 1024):
        listener["address"] = {"socketAddress": {"address": "127.0.0.1", "portValue": port}}
    return found
