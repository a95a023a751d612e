"""EnvoyFilters on one machine: a patch applies to the listener and the routes that stand for those that it names on a cluster."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy

from mesh.compile import Compiler
from mesh.compile.placement import numbered
from mesh.envoy.patching import linked
from mesh.envoy.snapshot import Snapshot
from mesh.model.mesh import CLUSTER
from mesh.resources.object import parse
from tests.parity import golden

HOST = "catalog.shop.svc.cluster.local"


@cache
def snapshot(owner: str, local: bool) -> Snapshot:
    mesh, problems = linked(parse(golden.source("envoyfilter").read_text(), "a.yaml")[0])
    assert not problems
    workload = next(each for each in mesh.workloads if each.owner == owner)
    return Compiler(mesh, numbered(mesh) if local else CLUSTER).compile(workload)[0]


def unpacked(given: Any, kind: type[Any]) -> list[Any]:
    found = []
    for chain in (*given.filter_chains, given.default_filter_chain):
        for each in chain.filters:
            message = kind()
            if each.typed_config.Unpack(message):
                found.append(message)
    return found


def filters(listener: Any) -> set[tuple[str, ...]]:
    return {tuple(f.name for f in each.http_filters) for each in unpacked(listener, HttpConnectionManager)}


def inbound(port: int, local: bool) -> Any:
    """The listener with the chains of a port, and no other."""
    found = snapshot("catalog", local).listeners
    if local:
        return found[f"inbound|{port}||"]
    made: Any = type(found["virtualInbound"])()
    made.CopyFrom(found["virtualInbound"])
    kept = [c for c in made.filter_chains if c.filter_chain_match.destination_port.value == port]
    del made.filter_chains[:]
    made.filter_chains.extend(kept)
    return made


@pytest.mark.parametrize("port", [50051, 7000])
def test_http_filters_of_a_port_are_those_of_a_cluster(port: int) -> None:
    assert filters(inbound(port, True)) == filters(inbound(port, False))
    assert any("envoy.filters.http.buffer" in each for each in filters(inbound(port, True)))


def test_network_filters_of_a_port_are_those_of_a_cluster() -> None:
    names = [
        {tuple(f.name for f in c.filters) for c in inbound(9000, local).filter_chains}
        for local in (True, False)
    ]
    assert names[0] == names[1]
    assert any("envoy.filters.network.connection_limit" in each for each in names[0])


def test_inbound_routes_are_patched_in_their_listener() -> None:
    (manager, *_) = unpacked(inbound(50051, True), HttpConnectionManager)
    assert manager.route_config.virtual_hosts[0].routes[0].route.timeout.seconds == 9


def test_an_outbound_listener_is_found_by_the_port_of_its_service() -> None:
    found = snapshot("orders", True).listeners
    assert f"{HOST}:7000" not in found
    assert found[f"{HOST}:50051"].listener_filters_timeout.seconds == 2
    assert [proxy.idle_timeout.seconds for proxy in unpacked(found[f"{HOST}:9000"], TcpProxy)] == [60]


def test_routes_are_patched_before_each_service_gets_its_own() -> None:
    routes = snapshot("orders", True).routes
    assert list(routes[f"{HOST}:50051"].response_headers_to_remove) == ["server"]
    (host,) = routes["orders.shop.svc.cluster.local:80"].virtual_hosts
    assert host.name == "closed", "a patch gave the service's own host another domain"


def test_a_gateway_is_patched_by_the_port_that_it_has_on_a_cluster() -> None:
    local, captured = (snapshot("ingress", each).listeners["0.0.0.0_8080"] for each in (True, False))
    assert filters(local) == filters(captured)
    assert local.per_connection_buffer_limit_bytes.value == 32768
    assert local.address.socket_address.port_value != 8080


def test_what_no_patch_means_is_shared_by_proxies() -> None:
    mesh = linked(parse(golden.source("envoyfilter").read_text(), "a.yaml")[0])[0]
    compiler = Compiler(mesh)
    first, second = (compiler.compile(w)[0] for w in mesh.workloads if w.owner != "ingress")
    name = f"outbound|50051||{HOST}"
    assert first.clusters[name] is second.clusters[name]
