"""A Snapshot names its content by a hash and says what does not resolve inside it."""

from __future__ import annotations

from dataclasses import replace

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from google.protobuf.json_format import ParseDict

from mesh.envoy.resource import CLUSTER
from mesh.envoy.snapshot import Snapshot, to_json


def _listener(name: str, routes: str) -> Listener:
    listener = Listener(name=name)
    manager = HttpConnectionManager(rds={"route_config_name": routes})
    listener.filter_chains.add().filters.add().typed_config.Pack(manager)
    return listener


def _whole() -> Snapshot:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "a"}}
    routes = {"name": "80", "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]}
    return Snapshot(
        clusters={"a": Cluster(name="a", type=Cluster.EDS)},
        endpoints={"a": ClusterLoadAssignment(cluster_name="a")},
        listeners={"in": _listener("in", "80")},
        routes={"80": ParseDict(routes, RouteConfiguration())},
    )


def test_equal_content_has_equal_versions_and_other_content_another() -> None:
    assert _whole().version == _whole().version
    moved = replace(_whole(), clusters={"a": Cluster(name="a", type=Cluster.EDS, alt_stat_name="x")})
    assert moved.version != _whole().version
    assert moved.resources(CLUSTER)["a"].version != _whole().resources(CLUSTER)["a"].version


def test_a_whole_snapshot_is_consistent() -> None:
    assert _whole().consistent() == []


def test_a_route_to_a_missing_cluster_is_named() -> None:
    assert replace(_whole(), clusters={}).consistent() == [
        "route configuration '80', host 'all' names the cluster 'a', which the snapshot does not have"
    ]


def test_a_cluster_without_its_endpoints_is_named() -> None:
    assert replace(_whole(), endpoints={}).consistent() == [
        "cluster 'a' names the endpoints 'a', which the snapshot does not have"
    ]


def test_a_listener_without_its_routes_is_named() -> None:
    assert replace(_whole(), routes={}).consistent() == [
        "listener 'in' names the route configuration '80', which the snapshot does not have"
    ]


def test_it_prints_as_oracle_does() -> None:
    assert to_json(_whole())["clusters"] == [{"name": "a", "type": "EDS"}]
