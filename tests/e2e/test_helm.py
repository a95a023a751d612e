"""A release is installed, tested, upgraded, rolled back and uninstalled as people do it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.scenarios.engine import NAMESPACE, Engine
from tests.scenarios.local import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(400)]
CHART = ROOT / "charts" / "shop"
SECOND = "shop-second"
KINDS = "pods,services,deployments,replicasets,serviceaccounts,poddisruptionbudgets,networkpolicies,configmaps,secrets,jobs"
ISTIO = "virtualservices,destinationrules,gateways,sidecars,authorizationpolicies,peerauthentications"
NOT_OURS = {
    "ServiceAccount/default",
    "ConfigMap/kube-root-ca.crt",
    "ConfigMap/istio-ca-root-cert",
    "ConfigMap/istio-ca-crl",
}
DRAINED = 90.0


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=360)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def present(namespace: str) -> set[str]:
    """Kind/name of everything there that Kubernetes and Istio did not put there themselves."""
    items = json.loads(run("kubectl", "-n", namespace, "get", f"{KINDS},{ISTIO}", "-o", "json"))["items"]
    return {f"{i['kind']}/{i['metadata']['name']}" for i in items} - NOT_OURS


@pytest.fixture
def second() -> Iterator[str]:
    run("kubectl", "create", "namespace", SECOND)
    yield SECOND
    run("kubectl", "delete", "namespace", SECOND, "--wait=true")


def test_a_release_says_that_it_is_well() -> None:
    assert "Phase:          Succeeded" in run("helm", "test", "shop", "-n", NAMESPACE, "--timeout", "2m")


@pytest.mark.parametrize("running", ["cluster"], indirect=True)
def test_upgrade_and_rollback_under_load_fail_no_call(engine: Engine) -> None:
    with engine.at("orders").load("catalog", "GetProduct", {"id": "mug"}, seconds=300) as answers:
        pods = {pod["metadata"]["name"] for pod in engine.pods("catalog")}
        settings = ["--reuse-values", "--set", "catalog.logLevel=debug"]
        run("helm", "upgrade", "shop", str(CHART), "-n", NAMESPACE, *settings, "--wait", "--timeout", "3m")
        upgraded = {pod["metadata"]["name"] for pod in engine.pods("catalog")}
        assert not pods & upgraded, "every pod was replaced"
        run("helm", "rollback", "shop", "-n", NAMESPACE, "--wait", "--timeout", "3m")
    assert len(answers) > 100
    assert [a for a in answers if not a.ok] == []
    history = json.loads(run("helm", "history", "shop", "-n", NAMESPACE, "-o", "json"))
    assert [each["status"] for each in history][-2:] == ["superseded", "deployed"]


def test_what_is_uninstalled_is_gone(second: str) -> None:
    run("helm", "install", "other", str(CHART), "-n", second, "--wait", "--timeout", "3m")
    assert present(second)
    run("helm", "uninstall", "other", "-n", second, "--wait", "--timeout", "2m")
    end = time.monotonic() + DRAINED  # Helm does not wait for pods that are still draining
    while left := present(second):
        assert time.monotonic() < end, left
        time.sleep(1)
