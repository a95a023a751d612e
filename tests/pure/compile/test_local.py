"""On one machine: a listener for each thing that is dialled, and nothing else different."""

from __future__ import annotations

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from mesh.compile import Compiler
from mesh.compile.placement import numbered
from mesh.envoy.snapshot import Snapshot, to_json
from mesh.model.mesh import Mesh, Placement
from tests.parity import golden, meshes

CATALOG = "catalog.shop.svc.cluster.local"


def _placed(feature: str, workload: str) -> tuple[Snapshot, Placement, Mesh]:
    mesh = meshes.read(golden.source(feature).read_text())
    placement = numbered(mesh)
    found = next(each for each in mesh.workloads if each.name == workload)
    return Compiler(mesh, placement).compile(found)[0], placement, mesh


def _port(listener: Any) -> int:
    address = listener.address.socket_address
    assert address.address == "127.0.0.1"
    return int(address.port_value)


def test_there_is_a_listener_for_each_upstream_and_each_served_port() -> None:
    snapshot, placement, _ = _placed("mtls", "orders-0")
    pod = ("shop", "orders-0")
    assert {name: _port(each) for name, each in snapshot.listeners.items()} == {
        f"{CATALOG}:50051": placement.outbound[pod, CATALOG, 50051],
        "orders.shop.svc.cluster.local:50052": placement.outbound[
            pod, "orders.shop.svc.cluster.local", 50052
        ],
        "inbound|50051||": placement.inbound[pod, 50051],
    }
    assert snapshot.consistent() == []


def test_an_endpoint_is_its_sidecars_port_and_the_application_is_reached_where_it_is_bound() -> None:
    snapshot, placement, _ = _placed("mtls", "orders-0")
    endpoints: Any = snapshot.endpoints[f"outbound|50051||{CATALOG}"]
    found = [each.endpoint.address.socket_address for each in endpoints.endpoints[0].lb_endpoints]
    pods = (("shop", "catalog-v1-0"), ("shop", "catalog-v1-1"))
    assert [(each.address, each.port_value) for each in found] == [
        ("127.0.0.1", placement.inbound[pod, 50051]) for pod in pods
    ]
    cluster: Any = snapshot.clusters["inbound|50051||"]
    application = cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address
    assert application.port_value == placement.application[("shop", "orders-0"), 50051]


def test_an_inbound_listener_has_the_chains_that_captured_traffic_meets() -> None:
    snapshot, _, mesh = _placed("peerauthentication", "web-0")
    captured: Any = next(iter(meshes.snapshots(mesh).values())).listeners["virtualInbound"]
    for number in (8080, 9000, 7000):
        local: Any = snapshot.listeners[f"inbound|{number}||"]
        there = [c for c in captured.filter_chains if c.filter_chain_match.destination_port.value == number]
        for chain in there:
            chain.filter_chain_match.ClearField("destination_port")
        assert [_alike(chain) for chain in local.filter_chains] == [_alike(chain) for chain in there]


def test_any_authority_is_answered_and_becomes_the_services_own() -> None:
    snapshot, _, _ = _placed("virtualservice", "catalog-v1-0")
    routes: Any = snapshot.routes[f"{CATALOG}:50051"]
    (host,) = routes.virtual_hosts
    assert list(host.domains) == ["*"]
    rewritten = {r.route.host_rewrite_literal for r in host.routes if r.HasField("route")}
    assert rewritten == {f"{CATALOG}:50051", "elsewhere.example", "inner.example"}


def test_a_route_for_an_authority_is_decided_when_it_is_compiled() -> None:
    snapshot, _, _ = _placed("virtualservice", "catalog-v1-0")
    routes: Any = snapshot.routes[f"{CATALOG}:50051"]
    asked = [h.name for r in routes.virtual_hosts[0].routes for h in r.match.headers]
    assert ":method" in asked
    assert ":authority" not in asked


def test_a_router_listens_for_its_gateways_and_for_each_service() -> None:
    snapshot, placement, _ = _placed("gateway", "ingress-0")
    pod = ("shop", "ingress-0")
    ports = {name: _port(each) for name, each in snapshot.listeners.items()}
    assert ports["0.0.0.0_8080"] == placement.gateway[pod, 8080]
    assert ports[f"{CATALOG}:50051"] == placement.outbound[pod, CATALOG, 50051]
    assert "inbound|8080||" not in ports


def test_clusters_differ_from_a_clusters_in_how_they_ask_for_certificates_only() -> None:
    snapshot, _, mesh = _placed("destinationrule", "catalog-v1-0")
    captured = meshes.snapshots(mesh)[next(iter(mesh.workload_by_proxy))]
    outbound = [name for name in captured.clusters if name.startswith("outbound|")]
    assert [snapshot.clusters[n] for n in outbound] != [captured.clusters[n] for n in outbound]
    assert [_alike(snapshot.clusters[n]) for n in outbound] == [
        _alike(captured.clusters[n]) for n in outbound
    ]


def _alike(message: Message) -> Any:
    """As data, without how often a proxy looks for a control plane that is away, which on a cluster is not its own to do."""
    return _without_reconnecting(MessageToDict(message))


def _without_reconnecting(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_reconnecting(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("clusterName") == "sds-grpc":
        return {"clusterName": "sds-grpc"}
    return {key: _without_reconnecting(each) for key, each in value.items()}


def test_proxies_that_see_the_same_share_what_is_compiled() -> None:
    mesh = meshes.read(golden.source("mtls").read_text())
    compiler = Compiler(mesh)
    first, second, other = (compiler.compile(workload)[0] for workload in mesh.workloads)
    assert first.listeners["virtualInbound"] is second.listeners["virtualInbound"]
    assert first.listeners["virtualInbound"] is not other.listeners["virtualInbound"]
    for name, cluster in first.clusters.items():
        if name.startswith("outbound|"):
            assert cluster is other.clusters[name]
    assert first.routes["50051"] is other.routes["50051"]
    assert to_json(first)["routes"] == to_json(other)["routes"]
