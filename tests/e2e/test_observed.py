"""On the cluster one order is one trace in a real Jaeger, and a real Prometheus counts as many calls as their client made."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import yaml

from tests.scenarios import orders
from tests.scenarios.cluster import kubectl
from tests.scenarios.engine import LEAVES, NAMESPACE, Engine
from tests.scenarios.local import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]

JAEGER: Final = "jaeger.observability.svc.cluster.local"
SERVICES: Final = {"orders", "catalog", "inventory", "payments", "shipping"}
CALLS: Final = 20
#: By which the cluster's Prometheus finds the sidecars of the namespace.
SIDECARS: Final = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "sidecars"},
    "spec": {
        "clusterIP": "None",
        "selector": {"security.istio.io/tlsMode": "istio"},
        "ports": [{"name": "http-metrics", "port": 15020}],
    },
}


def run(*command: str, given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def forwarded(service: str, port: int) -> Iterator[str]:
    command = [
        "kubectl",
        "-n",
        "observability",
        "port-forward",
        "--address",
        "127.0.0.1",
        f"service/{service}",
        f":{port}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://{process.stdout.readline().split()[2]}"
    finally:
        process.terminate()
        process.communicate()


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.loads(answer.read())["data"]


@pytest.fixture
def observability() -> Iterator[None]:
    """Every request is traced, to Jaeger, and every sidecar scraped."""
    if subprocess.run(
        ["kubectl", "-n", "observability", "get", "service", "jaeger"], capture_output=True
    ).returncode:
        pytest.skip("there is no Jaeger in the namespace observability")
    if "OTEL_EXPORTER_OTLP_ENDPOINT" not in kubectl("get", "deployment", "orders", "-o", "yaml"):
        pytest.skip("the release exports nothing: global.otlpEndpoint is not set")
    before = run("kubectl", "-n", "istio-system", "get", "configmap", "istio", "-o", "jsonpath={.data.mesh}")
    provider = {"name": "otel", "opentelemetry": {"service": JAEGER, "port": 4317}}
    try:
        _configure(yaml.safe_dump({**yaml.safe_load(before), "extensionProviders": [provider]}))
        settings = ["telemetryNamespace=" + NAMESPACE, "tracing.sampling=100", "accessLogs.enabled=false"]
        chart = [
            "observed",
            str(ROOT / "charts" / "observability"),
            "-n",
            NAMESPACE,
            "--set",
            ",".join(settings),
        ]
        run("helm", "upgrade", "--install", *chart)
        run("kubectl", "-n", NAMESPACE, "apply", "-f", "-", given=json.dumps(SIDECARS))
        yield
    finally:
        run("helm", "uninstall", "observed", "-n", NAMESPACE, "--ignore-not-found")
        kubectl("delete", "service", "sidecars", "--ignore-not-found")
        _configure(before)


def _configure(mesh: str) -> None:
    patch = json.dumps({"data": {"mesh": mesh}})
    run("kubectl", "-n", "istio-system", "patch", "configmap", "istio", "--type", "merge", "-p", patch)


@pytest.mark.parametrize("running", ["cluster"], indirect=True)
@pytest.mark.usefixtures("observability")
def test_an_order_is_one_trace_in_jaeger(engine: Engine) -> None:
    hearing = {name for name in LEAVES if engine.pods(name)}
    with forwarded("jaeger", 16686) as jaeger:

        def whole() -> bool:
            """Of an order placed now: sidecars may not know yet that they are to trace."""
            trace = uuid.uuid4().hex
            header = {"traceparent": f"00-{trace}-{uuid.uuid4().hex[:16]}-01"}
            assert engine.at("ingress").call("orders", "PlaceOrder", orders.request(), header).ok
            try:
                engine.until(
                    lambda: _complete(jaeger, trace, hearing), "spans of all services and sidecars", 20
                )
            except AssertionError:
                return False
            return True

        engine.until(whole, "an order whose trace is whole", 120)


def _complete(jaeger: str, trace: str, hearing: set[str]) -> bool:
    """Who only hears of it by events is not called: its proxy says nothing."""
    try:
        [found] = ask(f"{jaeger}/api/traces/{trace}")
    except (OSError, ValueError):
        return False
    names = {key: each["serviceName"] for key, each in found["processes"].items()}
    sides: dict[bool, set[str]] = {True: set(), False: set()}
    for span in found["spans"]:
        proxy = any((tag["key"], tag["value"]) == ("component", "proxy") for tag in span["tags"])
        sides[proxy].add(names[span["processID"]].partition(".")[0])
    return sides[False] >= SERVICES | hearing and sides[True] >= {"ingress", *SERVICES}


@pytest.mark.parametrize("running", ["cluster"], indirect=True)
@pytest.mark.usefixtures("observability")
def test_prometheus_counts_as_many_calls_by_status_as_their_client_made(engine: Engine) -> None:
    with forwarded("prometheus", 9090) as prometheus:
        caller = engine.at("orders")
        engine.until(
            lambda: bool(caller.call("catalog", "GetProduct", {"id": "mug"}).ok and _counts(prometheus)),
            "a first count",
            90,
        )
        engine.until(lambda: _steady(prometheus), "counts that stand still", 60)
        before = _counts(prometheus)
        seen = Counter(caller.calls(CALLS, "catalog", "GetProduct", {"id": "mug"}).codes())
        seen += Counter(caller.calls(CALLS // 2, "catalog", "GetProduct", {"id": "nothing"}).codes())
        assert seen == {"OK": CALLS, "NOT_FOUND": CALLS // 2}

        def equal() -> bool:
            grown = _counts(prometheus)
            grown.subtract(before)
            return +grown == {"0": CALLS, "5": CALLS // 2}

        engine.until(equal, "as many by status", 60)


def _steady(prometheus: str) -> bool:
    query = 'sum(increase(istio_requests_total{source_workload="orders",destination_service_name="catalog"}[15s])) == 0'
    return bool(_query(prometheus, query))


def _counts(prometheus: str) -> Counter[str]:
    query = 'sum by (grpc_response_status) (istio_requests_total{reporter="source",source_workload="orders",destination_service_name="catalog"})'
    found = _query(prometheus, query)
    return Counter(
        {each["metric"].get("grpc_response_status", ""): int(float(each["value"][1])) for each in found}
    )


def _query(prometheus: str, query: str) -> list[Any]:
    found: list[Any] = ask(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}")["result"]
    return found
