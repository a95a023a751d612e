"""What is saved in charts, values and mesh.yaml is applied as it is saved; what is sent to the API is checked like them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client import ApiException

from tests.local.project import Project, until

Object = dict[str, Any]
ROUTE = ("networking.istio.io", "v1", "default", "virtualservices", "web")


def route(project: Project) -> Object:
    found: Object = client.CustomObjectsApi(project.client()).get_namespaced_custom_object(*ROUTE)
    return found


def timeout(project: Project) -> object:
    return route(project)["spec"]["http"][0].get("timeout")


def pods(project: Project) -> set[str]:
    return {pod["name"] for pod in project.status()["workloads"][0]["pods"] if pod["ready"]}


def test_a_value_in_mesh_yaml_is_applied(running: Project) -> None:
    running.set(route={"timeout": "3s"})
    until(lambda: timeout(running) == "3s", "the route has it")
    until(lambda: running.status()["workloads"][0]["proxy"]["acked"], "its proxies have accepted it")


def test_a_template_is_applied(running: Project) -> None:
    template = running.folder / "chart" / "templates" / "route.yaml"
    template.write_text(template.read_text() + "      timeout: 4s\n")
    until(lambda: timeout(running) == "4s", "the route has it")


def test_a_values_file_is_applied_and_watched(running: Project) -> None:
    values = running.folder / "values.yaml"
    values.write_text("route: {timeout: 5s}\n")
    settings = running.read()
    settings["releases"][0]["values"] = ["values.yaml"]
    running.write(settings)
    until(lambda: timeout(running) == "5s", "the route has it")
    values.write_text("route: {timeout: 6s}\n")
    until(lambda: timeout(running) == "6s", "the route has what was saved later")
    values.write_text("- no mapping\n")
    until(lambda: "values.yaml:1: MW0001" in str(running.progress()["refused"]), "the mistake is said")
    assert timeout(running) == "6s"


def test_an_object_that_the_chart_no_longer_has_is_removed(running: Project) -> None:
    (running.folder / "chart" / "templates" / "route.yaml").unlink()

    def gone() -> bool:
        try:
            route(running)
        except ApiException as error:
            return bool(error.status == 404)
        return False

    until(gone, "the route is gone")


def test_another_command_replaces_the_pods_that_run_the_old_one(running: Project) -> None:
    before = pods(running)
    settings = running.read()
    settings["images"]["small/web"]["env"] = {"GREETING": "hello"}
    running.write(settings)
    until(lambda: pods(running) and not pods(running) & before, "other pods are ready")


def test_a_toolchain_that_comes_later_is_noticed(running: Project) -> None:
    settings = running.read()
    settings["images"]["small/web"]["needs"] = ["no-such-tool"]
    running.write(settings)
    until(lambda: "MW0502" in str(running.progress()["warnings"]), "it is said")
    assert pods(running), "the old pod serves on, since no new one is ready"
    del settings["images"]["small/web"]["needs"]
    running.write(settings)
    until(lambda: len(running.status()["workloads"][0]["pods"]) == 1 and pods(running), "one pod is ready")
    assert running.progress()["warnings"] == []


def test_what_a_user_scaled_stays_when_something_else_is_edited(running: Project) -> None:
    apps = client.AppsV1Api(running.client())
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 2}})
    until(lambda: len(pods(running)) == 2, "two are ready")
    running.set(route={"timeout": "7s"})
    until(lambda: timeout(running) == "7s", "the route has it")
    assert len(pods(running)) == 2
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 1}})
    until(lambda: len(running.status()["workloads"][0]["pods"]) == 1, "one is left")


def http(change: Object) -> Object:
    """A patch of the route, whose one destination is right unless ``change`` says otherwise."""
    to: Object = {"destination": {"host": "web.default.svc.cluster.local", "port": {"number": 50051}}}
    return {"spec": {"http": [{"route": [to], **change}]}}


REFUSED: list[tuple[Object, str, str]] = [
    (http({"route": [{"destination": {"host": "wep"}}]}), "MW0201", "wep"),
    (http({"route": [{"destination": {"host": "web", "subset": "v9"}}]}), "MW0202", "subset 'v9'"),
    (http({"timeOut": "3s"}), "MW0101", "did you mean timeout"),
    (http({"timeout": "soon"}), "MW0103", "expected a duration"),
]


@pytest.mark.parametrize(("patch", "code", "said"), REFUSED, ids=[code for _, code, _ in REFUSED])
def test_the_api_refuses_what_check_calls_an_error(
    running: Project, patch: Object, code: str, said: str
) -> None:
    before = route(running)["spec"]
    with pytest.raises(ApiException) as refused:
        client.CustomObjectsApi(running.client()).patch_namespaced_custom_object(*ROUTE, patch)
    assert refused.value.status == 422
    status = json.loads(refused.value.body)
    assert code in status["message"]
    assert said in status["message"]
    assert status["details"]["causes"][0]["field"].startswith("spec.http[0]")
    assert route(running)["spec"] == before


def test_the_api_warns_of_what_check_calls_a_warning(running: Project) -> None:
    unused = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "nobody"},
        "spec": {
            "selector": {"app": "nobody"},
            "ports": [{"name": "grpc", "port": 1, "appProtocol": "grpc"}],
        },
    }
    core = client.CoreV1Api(running.client())
    answer = core.create_namespaced_service("default", unused, _preload_content=False)
    core.delete_namespaced_service("nobody", "default")
    assert answer.status == 201
    assert "MW0206" in answer.headers["Warning"]
    assert "503" in answer.headers["Warning"]
