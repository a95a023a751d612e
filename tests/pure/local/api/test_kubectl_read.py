"""What kubectl reads: resources, tables, objects, selections, descriptions, events, logs, watches."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime

import pytest

from mesh.local.store import Deletion, Object, key, kind, record
from tests.pure.local.api.manifests import deployment, pod, running, service, virtual_service
from tests.pure.local.api.running import KUBECTL, MISSING, Running

pytestmark = pytest.mark.skipif(KUBECTL is None, reason=MISSING)


def made(api: Running, obj: Object, status: Object | None = None) -> Object:
    placed = {**obj, "metadata": {"namespace": "shop", **obj["metadata"]}}
    stored = api.run(api.store.create(placed)).object
    if status is None:
        return stored
    return api.run(api.store.update({**stored, "status": status}, subresource="status")).object


def rows(told: str) -> list[list[str]]:
    return [line.split() for line in told.splitlines() if line and not line.startswith("Warning")]


def test_version_and_resources(api: Running) -> None:
    assert "Server Version: v1.34" in api.kubectl("version")
    resources = {line[0]: line for line in rows(api.kubectl("api-resources"))}
    assert resources["virtualservices"][1:3] == ["vs", "networking.istio.io/v1"]
    assert resources["deployments"][1:3] == ["deploy", "apps/v1"]
    versions = api.kubectl("api-versions").split()
    assert {"v1", "apps/v1", "networking.istio.io/v1alpha3", "security.istio.io/v1beta1"} <= set(versions)


def test_pods_as_a_table(api: Running) -> None:
    made(api, pod(), running(restarts=2))
    made(api, pod("catalog-v1-1"))
    told = rows(api.kubectl("get", "pods", "-o", "wide"))
    assert told[0] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert told[1][:4] == ["catalog-v1-0", "1/1", "Running", "2"]
    assert told[1][5:] == ["10.1.0.1", "local"]
    assert told[2][:4] == ["catalog-v1-1", "0/1", "Pending", "0"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff")]}, "CrashLoopBackOff")
        for waiting in [lambda reason: {"name": "a", "state": {"waiting": {"reason": reason}}}]
    ]
    + [
        (
            {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]},
            "ExitCode:3",
        ),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        (
            {"phase": "Succeeded", "containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]},
            "Completed",
        ),
    ],
)
def test_a_pods_status_is_its_most_telling_reason(api: Running, status: Object, shown: str) -> None:
    made(api, pod(), status)
    assert rows(api.kubectl("get", "pods"))[1][2] == shown


def test_istio_kinds_by_short_name_with_acceptance(api: Running) -> None:
    accepted = {"conditions": [{"type": "Accepted", "status": "True", "message": "3 of 3 proxies"}]}
    made(api, virtual_service(), accepted)
    told = api.kubectl("get", "vs", "-o", "wide").splitlines()
    assert told[0].split() == ["NAME", "GATEWAYS", "HOSTS", "AGE", "ACCEPTED", "MESSAGE"]
    assert "True" in told[1].split()
    assert told[1].endswith("3 of 3 proxies")
    assert "condition met" in api.kubectl("wait", "--for=condition=Accepted", "vs/catalog", "--timeout=5s")


def test_an_object_in_every_format(api: Running) -> None:
    made(api, virtual_service())
    assert "kind: VirtualService" in api.kubectl("get", "vs", "catalog", "-o", "yaml")
    assert json.loads(api.kubectl("get", "vs", "catalog", "-o", "json"))["spec"]["hosts"] == ["catalog"]
    assert api.kubectl("get", "vs", "-o", "jsonpath={.items[*].spec.hosts[0]}") == "catalog"
    assert api.kubectl("get", "vs", "-o", "name").strip() == "virtualservice.networking.istio.io/catalog"
    assert json.loads(api.kubectl("get", "pods", "-o", "json"))["items"] == []


def test_alias_versions_are_the_same_objects(api: Running) -> None:
    api.kubectl("apply", "-f", "-", sent=virtual_service(api_version="networking.istio.io/v1alpha3"))
    by_default = json.loads(api.kubectl("get", "vs", "catalog", "-o", "json"))
    by_alias = json.loads(
        api.kubectl("get", "virtualservices.v1beta1.networking.istio.io", "catalog", "-o", "json")
    )
    assert by_default["apiVersion"] == "networking.istio.io/v1"
    assert by_alias["apiVersion"] == "networking.istio.io/v1beta1"
    assert by_default["metadata"]["uid"] == by_alias["metadata"]["uid"]


def test_selections(api: Running) -> None:
    made(api, pod("a", version="v1"), running())
    made(api, pod("b", version="v2"))
    assert api.kubectl("get", "pods", "-l", "version in (v2,v3)", "-o", "name").split() == ["pod/b"]
    assert api.kubectl("get", "pods", "--field-selector", "status.phase=Running", "-o", "name").split() == [
        "pod/a"
    ]
    assert "No resources found" in api.kubectl("get", "pods", "-n", "default")
    assert rows(api.kubectl("get", "pods", "-A"))[1][:2] == ["shop", "a"]
    refused = api.kubectl("get", "pods", "--field-selector", "spec.image=x", code=1)
    assert "status.podIP" in refused, "the answer names what can be selected by"


def test_everything(api: Running) -> None:
    made(api, pod())
    made(api, service())
    made(api, deployment())
    names = api.kubectl("get", "all", "-o", "name").split()
    assert names == ["pod/catalog-v1-0", "service/catalog", "deployment.apps/catalog-v1"]


def test_descriptions_show_events(api: Running) -> None:
    about = made(api, pod(), running())
    api.run(record(api.store, about, "Started", "Started container catalog", datetime.now(UTC)))
    told = api.kubectl("describe", "pod", "catalog-v1-0")
    assert "Started container catalog" in told
    assert "Node:" in told
    for obj, name in (
        (service(), "svc/catalog"),
        (deployment(), "deploy/catalog-v1"),
        (virtual_service(), "vs/catalog"),
    ):
        made(api, obj)
        assert obj["metadata"]["name"] in api.kubectl("describe", name)
    assert "10.2.0." in api.kubectl("describe", "svc/catalog")
    assert "Started container catalog" in api.kubectl("events")
    assert rows(api.kubectl("get", "events"))[1][1:4] == ["Normal", "Started", "pod/catalog-v1-0"]


def test_logs(api: Running) -> None:
    made(api, pod(version="v1"), running())
    assert api.kubectl("logs", "catalog-v1-0").splitlines() == [f"catalog-v1-0 catalog {n}" for n in range(3)]
    assert api.kubectl("logs", "catalog-v1-0", "-c", "catalog", "--tail=1", "--since=5m").splitlines() == [
        "catalog-v1-0 catalog 2"
    ]
    container, follow, tail, since = api.logs.asked[-1]
    assert (container, follow, tail) == ("catalog", False, 1)
    assert since
    assert 290 < (datetime.now(UTC) - since).total_seconds() < 310
    assert "not valid for pod" in api.kubectl("logs", "catalog-v1-0", "-c", "envoy", code=1)
    assert "have no previous" in api.kubectl("logs", "-p", "catalog-v1-0", code=1)
    made(api, deployment())
    assert "catalog-v1-0 catalog 2" in api.kubectl("logs", "deploy/catalog-v1")


def test_logs_that_are_followed_end_with_their_reader(api: Running) -> None:
    made(api, pod(), running())
    api.logs.ended.clear()
    command = api.command("logs", "-f", "catalog-v1-0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=api.environment()) as following:
        assert following.stdout
        assert [following.stdout.readline() for _ in range(4)][-1] == "and more\n"
        following.terminate()
    assert api.logs.ended.wait(10)


def test_logs_of_what_has_not_started_are_refused(api: Running) -> None:
    made(api, pod())
    for follow in ((), ("-f",)):
        assert "container catalog has not started" in api.kubectl("logs", "catalog-v1-0", *follow, code=1)


def test_a_quiet_log_can_be_followed(api: Running) -> None:
    quiet = pod()
    quiet["spec"]["containers"][0]["name"] = "quiet"
    made(api, quiet, running())
    command = api.command("logs", "-f", "catalog-v1-0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=api.environment()) as following:
        assert following.stdout
        api.loop.call_soon_threadsafe(api.logs.speak.set)
        assert following.stdout.readline() == "catalog-v1-0 quiet 0\n"
        following.terminate()


def test_a_watch_shows_changes_as_rows(api: Running) -> None:
    made(api, pod())
    command = api.command("get", "pods", "-w", "--no-headers")
    where = key(kind("Pod"), "shop", "catalog-v1-0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=api.environment()) as watching:
        assert watching.stdout
        assert watching.stdout.readline().split()[:3] == ["catalog-v1-0", "0/1", "Pending"]
        api.run(api.store.patch(where, {"status": running()}, subresource="status"))
        assert watching.stdout.readline().split()[:3] == ["catalog-v1-0", "1/1", "Running"]
        api.run(api.store.delete(where))
        assert watching.stdout.readline().split()[:3] == ["catalog-v1-0", "1/1", "Terminating"]
        watching.terminate()
    api.run(api.store.delete(where, Deletion(grace=0)))


def test_wait_for_a_condition_and_for_the_end(api: Running) -> None:
    made(api, pod())
    where = key(kind("Pod"), "shop", "catalog-v1-0")
    for words, change in (
        (("--for=condition=Ready",), api.store.patch(where, {"status": running()}, subresource="status")),
        (
            ("--for=jsonpath={.status.podIP}=10.1.0.9",),
            api.store.patch(where, {"status": {"podIP": "10.1.0.9"}}, subresource="status"),
        ),
        (("--for=delete",), api.store.delete(where, Deletion(grace=0))),
    ):
        command = api.command("wait", *words, "pod/catalog-v1-0", "--timeout=20s")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=api.environment()) as waiting:
            api.run(change)
            assert waiting.wait(20) == 0
