"""From two looks at counters: rates, failures and latencies by edge."""

from __future__ import annotations

from collections import Counter

import pytest

from mesh.observe.edges import Edge, counts, edges
from mesh.observe.exposition import Sample
from mesh.observe.istio import Pod, Pods, translated

HOST = "catalog.shop.svc.cluster.local"


def pod(workload: str, **ports: str) -> Pod:
    labels = {"app": workload.partition("-")[0], "version": workload.partition("-")[2] or "v1"}
    principal = f"spiffe://cluster.local/ns/shop/sa/{labels['app']}"
    return Pod(f"{workload}-x", "shop", workload, labels, principal, False, "admin.sock", ports)


CALLER, CALLED = pod("orders", **{"100": HOST}), pod("catalog-v2", **{"200": HOST})
PODS = Pods([CALLER, CALLED])


def sent(value: float, name: str = "requests_total", **labels: str) -> Sample:
    """What the caller's proxy has counted."""
    told = {
        "reporter": "source",
        "response_code": "200",
        "grpc_response_status": "0",
        "response_flags": "-",
        "cluster": f"outbound|50051|v2|{HOST}",
        "port": "100",
        "peer": "127.0.0.1:200",
        "peer_principal": CALLED.principal,
    }
    return translated(Sample(f"envoy_istio_{name}", told | labels, value), CALLER, PODS)


def taken(value: float, **labels: str) -> Sample:
    """What the called proxy has counted."""
    told = {
        "reporter": "destination",
        "response_code": "200",
        "grpc_response_status": "0",
        "response_flags": "-",
        "cluster": "inbound|50051||",
        "port": "200",
        "peer": CALLER.peer,
        "peer_principal": CALLER.principal,
    }
    return translated(Sample("envoy_istio_requests_total", told | labels, value), CALLED, PODS)


def test_a_request_has_istios_labels_on_both_sides() -> None:
    both = {
        "source_workload": "orders",
        "source_app": "orders",
        "source_version": "v1",
        "source_workload_namespace": "shop",
        "source_principal": CALLER.principal,
        "destination_workload": "catalog-v2",
        "destination_version": "v2",
        "destination_principal": CALLED.principal,
        "destination_service": HOST,
        "destination_service_name": "catalog",
        "destination_service_namespace": "shop",
        "request_protocol": "grpc",
        "response_code": "200",
        "grpc_response_status": "0",
    }
    for sample, security in ((sent(1), "unknown"), (taken(1), "mutual_tls")):
        assert sample.name == "istio_requests_total"
        assert both.items() <= sample.labels.items()
        assert sample.labels["connection_security_policy"] == security


def test_a_caller_without_a_certificate_is_unknown_and_not_secured() -> None:
    labels = taken(1, peer="", peer_principal="").labels
    assert (labels["source_workload"], labels["source_principal"]) == ("unknown", "unknown")
    assert labels["connection_security_policy"] == "none"


def test_a_call_that_no_route_took_is_for_the_service_whose_port_it_came_to() -> None:
    labels = sent(
        1, cluster="", peer="", peer_principal="", grpc_response_status="", response_code="404"
    ).labels
    assert (labels["destination_service"], labels["destination_workload"]) == (HOST, "unknown")
    assert labels["request_protocol"] == "http"


def test_what_has_grown_is_counted() -> None:
    before = counts([sent(10), sent(1, grpc_response_status="14")])
    after = counts([sent(13), sent(2, grpc_response_status="14"), taken(13)])
    (edge,) = edges(before, after, 2.0)
    assert (edge.source, edge.destination) == ("orders", "catalog-v2")
    assert edge.statuses == Counter({"0": 3, "14": 1})
    assert (edge.rate, edge.failed, edge.encrypted) == (2.0, 0.25, True)


def test_a_proxy_that_was_started_anew_counts_from_nothing() -> None:
    (edge,) = edges(counts([sent(10)]), counts([sent(4)]), 1.0)
    assert edge.requests == 4


def test_an_edge_without_calls_is_none() -> None:
    assert edges(counts([sent(10)]), counts([sent(10)]), 1.0) == []


def test_one_call_in_plain_text_is_enough_to_say_so() -> None:
    after = counts([sent(3), taken(2), taken(1, peer_principal="")])
    (edge,) = edges(counts([]), after, 1.0)
    assert edge.encrypted is False


@pytest.mark.parametrize(
    ("share", "milliseconds"), [(0.25, 2.5), (0.5, 5.0), (0.75, 8.125), (0.95, 10.0), (0.99, 10.0)]
)
def test_a_quantile_is_as_prometheus_has_it(share: float, milliseconds: float) -> None:
    """In a straight line within a bucket; in the last one, its beginning."""
    edge = Edge("a", "b", 1.0, buckets=Counter({5.0: 5, 10.0: 9, float("inf"): 10}))
    assert edge.quantile(share) == pytest.approx(milliseconds)


def test_without_requests_there_is_no_quantile() -> None:
    assert Edge("a", "b", 1.0).quantile(0.5) is None


@pytest.mark.parametrize(("status", "failed"), [("0", 0), ("7", 1), ("200", 0), ("404", 0), ("503", 1)])
def test_a_status_says_whether_a_call_failed(status: str, failed: float) -> None:
    assert Edge("a", "b", 1.0, statuses=Counter({status: 1})).failed == failed
