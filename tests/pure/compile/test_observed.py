"""Where an observatory stands, every proxy tells it of every request, unless a Telemetry decides otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mesh.compile import Compiler
from mesh.compile.placement import numbered
from mesh.envoy.snapshot import to_json
from tests.parity import golden, meshes

TELEMETRY = """---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: all, namespace: istio-system}}
spec: {{tracing: [{}]}}
"""


def traced(telemetry: str = "", observatory: str = "observatory") -> list[Any]:
    """What the connection managers of one proxy say of tracing, each different one once."""
    return _of_managers("tracing", telemetry, observatory)


def _of_managers(field: str, telemetry: str = "", observatory: str = "observatory") -> list[Any]:
    found: list[Any] = []
    _filters(_listeners(telemetry, observatory), "HttpConnectionManager", field, found)
    return found


def _listeners(telemetry: str, observatory: str, of: str = "mtls") -> Any:
    text = golden.source(of).read_text() + (TELEMETRY.format(telemetry) if telemetry else "")
    mesh = meshes.read(text)
    placement = replace(numbered(mesh), observatory=observatory)
    workload = next(each for each in mesh.workloads if each.name in ("orders-0", "web-0"))
    return to_json(Compiler(mesh, placement).compile(workload)[0])["listeners"]


def _filters(node: Any, kind: str, field: str, found: list[Any]) -> None:
    if isinstance(node, dict):
        if str(node.get("@type", "")).endswith(kind) and node.get(field) not in found:
            found.append(node.get(field))
        for each in node.values():
            _filters(each, kind, field, found)
    elif isinstance(node, list):
        for each in node:
            _filters(each, kind, field, found)


def test_every_request_is_told_of_in_the_name_of_the_service() -> None:
    (tracing,) = traced()
    config = tracing["provider"]["typedConfig"]
    assert config["@type"].endswith("envoy.config.trace.v3.OpenTelemetryConfig")
    assert config["grpcService"]["envoyGrpc"]["clusterName"] == "observatory"
    assert config["serviceName"] == "orders"
    assert tracing["randomSampling"]["value"] == 100.0


@pytest.mark.parametrize(
    ("telemetry", "sampled"),
    [("{randomSamplingPercentage: 10}", 10.0), ("{customTags: {a: {literal: {value: b}}}}", 100.0)],
)
def test_a_telemetry_decides_how_many_are(telemetry: str, sampled: float) -> None:
    (tracing,) = traced(telemetry)
    assert tracing["randomSampling"]["value"] == sampled


def test_a_telemetry_may_want_none() -> None:
    assert traced("{disableSpanReporting: true}") == [None]


def test_nobody_is_told_where_there_is_none() -> None:
    (tracing,) = traced(observatory="")
    assert "provider" not in tracing


def test_requests_are_counted_on_the_side_of_the_caller_and_of_the_called() -> None:
    logs = [each for log in _of_managers("accessLog") for each in log]
    counting = [each["typedConfig"] for each in logs if each["name"] == "envoy.access_loggers.stats"]
    names = {
        stat["stat"]["name"] for config in counting for stat in (*config["counters"], *config["histograms"])
    }
    assert names == {"requests_total", "request_duration_milliseconds", "request_bytes", "response_bytes"}
    reporters = [
        {t["name"]: t["valueFormat"] for t in c["counters"][0]["stat"]["tags"]}["reporter"] for c in counting
    ]
    assert sorted(reporters) == ["destination", "source"]


def test_nobody_counts_where_nobody_asks() -> None:
    logs = [each for log in _of_managers("accessLog", observatory="") if log for each in log]
    assert [each for each in logs if each["name"] == "envoy.access_loggers.stats"] == []


LOGGED = "{disableSpanReporting: true}], accessLogging: [{providers: [{name: envoy}]}"


def connections(field: str, observatory: str = "observatory") -> list[Any]:
    found: list[Any] = []
    _filters(_listeners(LOGGED, observatory, "protocols"), "TcpProxy", field, found)
    return found


def test_connections_are_counted_when_they_are_made_and_when_they_end() -> None:
    counted = {
        (log["filter"]["logTypeFilter"]["types"][0], counter["stat"]["name"])
        for logs in connections("accessLog")
        for log in logs
        if log["name"] == "envoy.access_loggers.stats"
        for counter in log["typedConfig"]["counters"]
    }
    assert counted == {
        ("TcpUpstreamConnected", "tcp_connections_opened_total"),
        ("TcpConnectionEnd", "tcp_connections_closed_total"),
        ("TcpConnectionEnd", "tcp_sent_bytes_total"),
        ("TcpConnectionEnd", "tcp_received_bytes_total"),
    }
    assert {"flushAccessLogOnConnected": True} in connections("accessLogOptions")


def test_what_a_telemetry_has_logged_of_connections_is_still_logged_once() -> None:
    files = [
        log for logs in connections("accessLog") for log in logs if log["name"] == "envoy.access_loggers.file"
    ]
    assert files
    assert all(log["filter"]["logTypeFilter"]["types"] == ["TcpConnectionEnd"] for log in files)


def test_connections_are_not_counted_where_there_is_no_observatory() -> None:
    assert connections("accessLogOptions", observatory="") == [None]
    names = {log["name"] for logs in connections("accessLog", observatory="") for log in logs or ()}
    assert names == {"envoy.access_loggers.file"}
