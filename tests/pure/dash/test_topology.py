from __future__ import annotations

import pytest

from mesh.dash.graph import Edge, Graph, Health, Kind, Node
from mesh.dash.overview import history, overview
from mesh.dash.sources import Sources
from tests.pages.recorded import Call, Metrics, Object, Objects, route, service, shop, workload


def seen(objects: list[Object], *calls: Call, broken: list[tuple[str, str, str]] | None = None) -> Graph:
    return overview(Sources("test", Objects(objects), Metrics(calls, broken or ())), now=1000.0)


def node(graph: Graph, id_: str) -> Node:
    return next(each for each in graph.nodes if each.id == id_)


def edge(graph: Graph, source: str, target: str) -> Edge:
    return next(each for each in graph.edges if (each.source, each.target) == (source, target))


TWO = [workload("orders", "orders"), workload("payments", "payments"), *map(service, ("orders", "payments"))]


def test_an_edge_has_rate_statuses_and_latency_as_its_caller_saw_them() -> None:
    found = edge(
        seen(TWO, Call("shop/orders", "shop/payments", "payments", 10.0, failing=0.25, p95=90.0)),
        "shop/orders",
        "shop/payments",
    )
    assert (found.rate, found.failed, found.protocol) == (10.0, 0.25, "grpc")
    assert dict(found.statuses) == {"OK": 7.5, "UNAVAILABLE": 2.5}
    assert found.p95 == pytest.approx(85.5)


@pytest.mark.parametrize(("mtls", "health"), [(True, Health.GOOD), (False, Health.BAD)])
def test_the_called_side_says_whether_it_was_mtls(mtls: bool, health: Health) -> None:
    graph = seen(TWO, Call("shop/orders", "shop/payments", "payments", 1.0, mtls=mtls))
    assert edge(graph, "shop/orders", "shop/payments").mtls is mtls
    assert node(graph, "shop/payments").health is health


def test_a_split_is_shown_as_configured_and_as_measured() -> None:
    objects = [
        *TWO,
        workload("catalog-v1", "catalog"),
        workload("catalog-v2", "catalog", "v2"),
        service("catalog"),
        *route("catalog", (90, 10)),
    ]
    calls = [
        Call("shop/orders", f"shop/catalog-{v}", "catalog", rate) for v, rate in (("v1", 30.0), ("v2", 10.0))
    ]
    found = edge(seen(objects, *calls), "shop/orders", "shop/catalog-v2")
    assert (found.configured, found.measured) == (0.1, 0.25)


def test_what_never_arrived_is_drawn_to_the_workload_behind_the_service() -> None:
    lost = Metrics([Call("shop/orders", "unknown/unknown", "payments", 2.0, failing=1.0)])
    objects = Objects([*TWO])
    graph = overview(Sources("test", objects, _Lost(lost)), now=1000.0)
    assert edge(graph, "shop/orders", "shop/payments").failed == 1.0


class _Lost(Metrics):
    """The called workload is unknown, the service is not."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(metrics.calls)

    def instant(self, query: str, at: float | None = None):  # type: ignore[no-untyped-def]
        found = super().instant(query, at)
        return [
            type(each)({**each.labels, "destination_service_namespace": "shop"}, each.value) for each in found
        ]


def test_circuits_retries_and_ejections_are_of_the_edge_whose_proxy_tells_them() -> None:
    cluster = "outbound|50051||payments.shop.svc.cluster.local"
    call = Call("shop/orders", "shop/payments", "payments", 1.0)
    found = edge(
        seen(
            TWO,
            call,
            broken=[
                ("open", "orders", cluster),
                ("retry", "orders", cluster),
                ("ejected", "orders", cluster),
            ],
        ),
        "shop/orders",
        "shop/payments",
    )
    assert (found.open, found.retries, found.ejected) == (True, 1.0, 1)


def test_a_database_is_known_by_its_url_of_which_no_password_is_shown() -> None:
    env = {"DATABASE_URL": "postgresql+asyncpg://me:hunter2@db.example/orders"}
    graph = seen([workload("orders", "orders", env=env)])
    found = next(each for each in graph.nodes if each.kind is Kind.DATABASE)
    assert found.name == "orders"
    assert edge(graph, "shop/orders", found.id).declared
    assert "hunter2" not in repr(graph)


def test_a_broker_of_the_mesh_is_its_workload() -> None:
    env = {"EVENTS_URL": "nats://broker:4222"}
    graph = seen(
        [
            workload("orders", "orders", env=env),
            workload("broker", "broker"),
            service("broker", port="tcp-nats"),
        ]
    )
    assert edge(graph, "shop/orders", "shop/broker").declared
    assert node(graph, "shop/broker").kind is Kind.BROKER


def test_a_node_is_unwell_by_its_own_rule() -> None:
    strict = workload("payments", "payments", annotations={"meshwright.dev/health": "0.01% 0.1%"})
    call = Call("shop/orders", "shop/payments", "payments", 10.0, failing=0.005)
    assert node(seen(TWO, call), "shop/payments").health is Health.GOOD
    assert node(seen([TWO[0], strict, *TWO[2:]], call), "shop/payments").health is Health.BAD


def test_a_problem_belongs_to_the_workloads_that_it_is_about() -> None:
    objects = [*TWO, *route("payments", (90, 20))]
    graph = seen(objects)
    about = node(graph, "shop/payments")
    assert [graph.problems[i].code for i in about.problems if "weights" in graph.problems[i].message] == [
        "MW0301"
    ]
    assert not node(graph, "shop/orders").problems


def test_what_a_cluster_has_besides_the_mesh_is_no_problem_of_it() -> None:
    dns = service("kube-dns", "kube-system", "dns", 53)
    dns["spec"]["ports"] = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    other = workload("coredns", "kube-dns", namespace="kube-system", labels={"security.istio.io/tlsMode": ""})
    graph = seen([*TWO, dns, other])
    assert not graph.problems
    assert all(each.namespace == "shop" for each in graph.nodes)


def test_a_workload_that_is_not_ready_is_failing_and_says_why() -> None:
    found = node(seen([workload("orders", "orders", ready=False)]), "shop/orders")
    assert (found.health, found.why) == (Health.BAD, ("1 of 1 pods are not ready",))


def test_without_prometheus_the_mesh_is_shown_as_it_is_configured_and_says_so() -> None:
    graph = overview(Sources("test", shop()[0]), now=1000.0)
    assert len(graph.nodes) > 10
    assert "no Prometheus is known here" in graph.notes[0]


def test_the_last_hour_says_how_much_failed() -> None:
    found = history(Sources("test", *shop()), now=7200.0)
    assert len(found["times"]) == len(found["all"]) == 121
    assert 0 < found["failed"][-1] < found["all"][-1]
