"""Rules and dashboards say what they should, of metrics that are really there, and the chart's resources are understood."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
import yaml

from mesh.link.link import link
from mesh.local.render import render
from mesh.observe import wire
from mesh.observe.limits import Limits
from mesh.observe.metrics.sent import Sent
from mesh.observe.promql import answer
from mesh.observe.promql.nodes import Selector
from mesh.observe.promql.parse import parse
from mesh.resources.object import parse as objects
from services.kit import otlp, settings
from services.kit.events import lag
from services.kit.saga import watch
from services.kit.telemetry import Durations, Recorder
from services.orders import measures
from tests.pure.observe.promql.history import END, store
from tests.pure.observe.promql.real import binary

CHART: Final = Path(__file__).parents[3] / "charts" / "observability"
RULES: Final = sorted(CHART.glob("rules/*.yaml"))
DASHBOARDS: Final = sorted(CHART.glob("dashboards/*.json"))
#: Of Istio, of Envoy as mesh.observe.metrics.scraper asks for them, and of Prometheus.
KNOWN: Final = {
    "istio_requests_total",
    "istio_request_duration_milliseconds_bucket",
    "envoy_cluster_upstream_rq_retry",
    "envoy_cluster_upstream_rq_pending_overflow",
    "envoy_cluster_circuit_breakers_default_rq_open",
    "envoy_cluster_outlier_detection_ejections_active",
    "up",
}
KEPT: Final = store()


def rules() -> Iterator[dict[str, Any]]:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def panels() -> Iterator[tuple[str, str]]:
    """Of each dashboard, its questions with a value for each variable."""
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                told = target["expr"].replace("$__rate_interval", "1m").replace("$namespace", "shop")
                yield f"{path.stem}: {panel['title']}", told.replace("$service", "orders")


def asked() -> list[tuple[str, str]]:
    return [*((rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()), *panels()]


def names(node: Any) -> set[str]:
    """Of all metrics that a question is about."""
    if isinstance(node, Selector):
        return {node.name or ""}
    if isinstance(node, tuple):
        return {name for each in node for name in names(each)}
    if is_dataclass(node) and not isinstance(node, type):
        return {name for field in fields(node) for name in names(getattr(node, field.name))}
    return set()


def measured() -> set[str]:
    """What services send, under the names that it is kept by."""
    recorder, sent = Recorder(), Sent(Limits())
    for gauge in (
        lag.WAITING,
        lag.OLDEST,
        lag.DEAD,
        watch.UNFINISHED,
        watch.STUCK,
        watch.OLDEST,
        otlp.LAG,
        otlp.PROCESSOR,
    ):
        recorder.measured(gauge, 1)
    for counter in (
        measures.PLACED,
        measures.CONFIRMED,
        measures.COMPENSATED,
        measures.RETURNED,
        measures.REVENUE,
    ):
        recorder.counted(counter, 1)
    recorder.durations["/shop.orders.v1.OrdersService/PlaceOrder", grpc.StatusCode.OK] = Durations()
    export = otlp.metrics(recorder, otlp.resource(settings.from_environment("orders", {})), 1, 2)
    sent.take(wire.MetricsRequest.FromString(export.SerializeToString()), 0)
    return {labels["__name__"] for labels, _ in sent.current(0)}


def test_every_question_is_about_metrics_that_are_there() -> None:
    there = KNOWN | measured() | {rule["record"] for rule in rules() if "record" in rule}
    missing = {where: names(parse(query)) - there for where, query in asked()}
    assert not {where: unknown for where, unknown in missing.items() if unknown}


@pytest.mark.parametrize(("where", "query"), asked())
def test_every_question_is_answered_by_the_observatory(where: str, query: str) -> None:
    assert answer.instant(KEPT, query, END)["resultType"] == "vector", where


@pytest.mark.skipif(not binary("promtool"), reason="needs promtool: run scripts/prometheus")
def test_alerts_fire_when_they_should_by_promtool() -> None:
    promtool = binary("promtool") or ""
    for command in (
        ["check", "rules", *map(str, RULES)],
        ["test", "rules", *map(str, CHART.glob("tests/*.yaml"))],
    ):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_what_is_wrong_and_what_to_do() -> None:
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("page", "ticket"), rule
            assert set(rule["annotations"]) == {"summary", "description"}, rule


def test_panels_do_not_overlap_and_dashboards_have_names_of_their_own() -> None:
    boards = [json.loads(path.read_text()) for path in DASHBOARDS]
    assert len({board["uid"] for board in boards}) == len(boards)
    for board in boards:
        taken = [
            (x, y)
            for panel in board["panels"]
            for at in [panel["gridPos"]]
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(taken) == len(set(taken)), board["title"]
        assert all(x < 24 for x, _ in taken)


def test_values_of_other_charts_are_yaml_and_name_one_collector() -> None:
    told = {path.stem: path.read_text() for path in CHART.glob("values/*.yaml")}
    assert set(told) == {"istiod", "jaeger", "prometheus", "grafana", "kiali", "opentelemetry-collector"}
    assert all(isinstance(yaml.safe_load(text), dict) for text in told.values())
    provider = yaml.safe_load(told["istiod"])["meshConfig"]["extensionProviders"][0]
    default = yaml.safe_load((CHART / "values.yaml").read_text())["tracing"]["provider"]
    assert provider["name"] == default
    assert re.findall(r"opentelemetry-collector\.observability\S*:8889", told["prometheus"])


@pytest.mark.parametrize(("kind", "count"), [("ConfigMap", 1), ("PrometheusRule", 3), ("none", 0)])
def test_the_chart_renders_what_a_mesh_understands(kind: str, count: int) -> None:
    made = render(CHART, "observability", "observability", overrides={"rules": {"kind": kind}})
    assert not made.problems
    documents = [each for each in yaml.safe_load_all(made.text) if each]
    kinds = [(each["kind"], each["metadata"]["name"]) for each in documents]
    assert [k for k, _ in kinds].count("Telemetry") == 1
    assert sum("grafana_dashboard" in (each["metadata"].get("labels") or {}) for each in documents) == 3
    found = [
        each for each in documents if each["metadata"]["name"] not in ("", None) and each["kind"] == kind
    ]
    assert len(found) - 3 * (kind == "ConfigMap") == count
    parsed, problems = objects(made.text, "charts/observability")
    assert not [each for each in [*problems, *link(parsed)[1]] if "Telemetry" in str(each)]


def test_a_misspelt_value_is_refused() -> None:
    assert render(CHART, "o", "o", overrides={"tracing": {"samplng": 1}}).problems


def test_pods_may_talk_to_the_collector_that_is_named_and_to_no_other() -> None:
    shop = CHART.parent / "shop"
    made = render(
        shop, "shop", "shop", overrides={"global": {"otlpEndpoint": "http://collector.observability:4317"}}
    )
    documents = [each for each in yaml.safe_load_all(made.text) if each]
    sidecars = [each["spec"]["egress"][0]["hosts"] for each in documents if each["kind"] == "Sidecar"]
    assert sidecars
    assert all("observability/collector.observability.svc.cluster.local" in hosts for hosts in sidecars)
    egress = [each["spec"].get("egress", []) for each in documents if each["kind"] == "NetworkPolicy"]
    opened = [rule for rules in egress for rule in rules if {"port": 4317} in rule["ports"]]
    assert len(opened) >= len(sidecars)
    named = {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}
    assert all(rule["to"] == [{"namespaceSelector": named}] for rule in opened)
