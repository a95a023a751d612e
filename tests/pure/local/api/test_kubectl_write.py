"""What kubectl changes: apply, create, replace, edit, patch, label, scale, rollout, delete, diff, dry run."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from mesh.local.store import Deletion, Object, key, kind
from tests.pure.local.api.manifests import deployment, pod, running, service, virtual_service
from tests.pure.local.api.running import KUBECTL, MISSING, Running

pytestmark = pytest.mark.skipif(KUBECTL is None, reason=MISSING)


def read(api: Running, *what: str) -> Any:
    return json.loads(api.kubectl("get", *what, "-o", "json", "--show-managed-fields"))


def reweighted(weight: int) -> Object:
    obj = deepcopy(virtual_service())
    obj["spec"]["http"][0]["route"][0]["weight"] = weight
    return obj


def test_apply_creates_changes_and_prunes_fields(api: Running) -> None:
    for obj, name in (
        (virtual_service(), "virtualservice.networking.istio.io/catalog"),
        (service(), "service/catalog"),
    ):
        assert api.kubectl("apply", "-f", "-", sent=obj).strip() == f"{name} created"
        assert api.kubectl("apply", "-f", "-", sent=obj).strip() == f"{name} unchanged"
    assert "configured" in api.kubectl("apply", "-f", "-", sent=reweighted(90))
    bare = deepcopy(virtual_service())
    del bare["spec"]["http"]
    api.kubectl("apply", "-f", "-", sent=bare)
    found = read(api, "vs", "catalog")
    assert found["spec"] == {"hosts": ["catalog"]}
    assert found["metadata"]["generation"] == 3


def test_apply_on_a_deployment_merges_its_lists(api: Running) -> None:
    api.kubectl("apply", "-f", "-", sent=deployment())
    changed = deployment()
    container = changed["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "VERSION", "value": "v1"}]
    changed["spec"]["template"]["spec"]["containers"].append({"name": "more", "image": "shop/more"})
    api.kubectl("apply", "-f", "-", sent=changed)
    api.kubectl("set", "image", "deploy/catalog-v1", "catalog=shop/catalog:2")
    api.kubectl("set", "env", "deploy/catalog-v1", "-c", "catalog", "LOG_LEVEL=debug")
    first, second = read(api, "deploy", "catalog-v1")["spec"]["template"]["spec"]["containers"]
    assert first["image"] == "shop/catalog:2"
    assert [item["name"] for item in first["env"]] == ["VERSION", "LOG_LEVEL"]
    assert first["ports"] == [{"name": "grpc", "containerPort": 50051, "protocol": "TCP"}]
    assert second["name"] == "more"
    del changed["spec"]["template"]["spec"]["containers"][1]
    container["env"] = [{"name": "PORT", "value": "50051"}]
    api.kubectl("apply", "-f", "-", sent=changed)
    (left,) = read(api, "deploy", "catalog-v1")["spec"]["template"]["spec"]["containers"]
    assert {item["name"] for item in left["env"]} == {"PORT", "LOG_LEVEL"}, "what apply never named stays"


def test_server_side_apply_moves_and_refuses(api: Running) -> None:
    api.kubectl("apply", "-f", "-", sent=service())
    assert "serverside-applied" in api.kubectl("apply", "--server-side", "-f", "-", sent=service())
    assert "serverside-applied" in api.kubectl("apply", "--server-side", "-f", "-", sent=virtual_service())
    refused = api.kubectl(
        "apply", "--server-side", "--field-manager=other", "-f", "-", sent=reweighted(50), code=1
    )
    assert 'conflict with "kubectl": .spec.http' in refused
    api.kubectl(
        "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-", sent=reweighted(50)
    )
    found = read(api, "vs", "catalog")
    assert found["spec"]["http"][0]["route"][0]["weight"] == 50
    assert {entry["manager"] for entry in found["metadata"]["managedFields"]} == {"kubectl", "other"}


def test_create_and_replace(api: Running) -> None:
    assert "created" in api.kubectl("create", "-f", "-", sent=virtual_service())
    assert "AlreadyExists" in api.kubectl("create", "-f", "-", sent=virtual_service(), code=1)
    assert "replaced" in api.kubectl("replace", "-f", "-", sent=reweighted(1))
    stale = {**reweighted(2), "metadata": {"name": "catalog", "resourceVersion": "1"}}
    assert "the object has been modified" in api.kubectl("replace", "-f", "-", sent=stale, code=1)
    assert "not found" in api.kubectl("replace", "-f", "-", sent=virtual_service("none"), code=1)


@pytest.mark.parametrize(
    ("obj", "what", "script", "path"),
    [
        (virtual_service(), "vs/catalog", "s/weight: 100/weight: 40/", "{.spec.http[0].route[0].weight}"),
        (deployment(), "deploy/catalog-v1", "s/replicas: 1/replicas: 40/", "{.spec.replicas}"),
    ],
)
def test_edit(api: Running, tmp_path: Path, obj: Object, what: str, script: str, path: str) -> None:
    api.kubectl("create", "-f", "-", sent=obj)
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\nsed -i "{script}" "$1"\n')
    editor.chmod(0o700)
    assert "edited" in api.kubectl("edit", what, KUBE_EDITOR=str(editor))
    assert api.kubectl("get", what, "-o", f"jsonpath={path}") == "40"


@pytest.mark.parametrize(
    ("how", "patch"),
    [
        ("merge", {"spec": {"hosts": ["patched"]}}),
        ("json", [{"op": "replace", "path": "/spec/hosts/0", "value": "patched"}]),
    ],
)
def test_patch_a_virtual_service(api: Running, how: str, patch: Any) -> None:
    api.kubectl("create", "-f", "-", sent=virtual_service())
    assert "patched" in api.kubectl("patch", "vs", "catalog", "--type", how, "-p", json.dumps(patch))
    assert read(api, "vs", "catalog")["spec"]["hosts"] == ["patched"]


def test_patch_types_that_a_kind_does_not_take(api: Running) -> None:
    api.kubectl("create", "-f", "-", sent=virtual_service())
    assert "--type=merge" in api.kubectl("patch", "vs", "catalog", "-p", '{"spec": {}}', code=1)
    api.kubectl("create", "-f", "-", sent=service())
    api.kubectl("patch", "svc", "catalog", "-p", '{"spec": {"ports": [{"port": 80, "name": "http"}]}}')
    assert [port["port"] for port in read(api, "svc", "catalog")["spec"]["ports"]] == [50051, 80]


def test_label_and_annotate(api: Running) -> None:
    api.kubectl("create", "-f", "-", sent=service())
    api.kubectl("label", "svc", "catalog", "tier=back")
    api.kubectl("annotate", "svc", "catalog", "note=a b")
    found = read(api, "svc", "catalog")["metadata"]
    assert (found["labels"], found["annotations"]) == ({"tier": "back"}, {"note": "a b"})
    api.kubectl("label", "svc", "catalog", "tier-")
    assert "labels" not in {
        name: value for name, value in read(api, "svc", "catalog")["metadata"].items() if value
    }


def test_scale(api: Running) -> None:
    api.kubectl("create", "-f", "-", sent=deployment())
    assert "scaled" in api.kubectl("scale", "deploy/catalog-v1", "--replicas=3")
    assert read(api, "deploy", "catalog-v1")["spec"]["replicas"] == 3
    assert "Expected replicas to be 1" in api.kubectl(
        "scale", "deploy/catalog-v1", "--current-replicas=1", "--replicas=5", code=1
    )


def test_rollout(api: Running) -> None:
    api.kubectl("create", "-f", "-", sent=deployment())
    api.kubectl("rollout", "restart", "deploy/catalog-v1")
    found = read(api, "deploy", "catalog-v1")
    assert found["metadata"]["generation"] == 2
    assert "kubectl.kubernetes.io/restartedAt" in found["spec"]["template"]["metadata"]["annotations"]
    assert "Waiting" in api.kubectl("rollout", "status", "deploy/catalog-v1", "--timeout=1s", "--watch=false")
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    status = {"observedGeneration": 2, **counts}
    where = key(kind("Deployment"), "shop", "catalog-v1")
    api.run(api.store.patch(where, {"status": status}, subresource="status"))
    assert "successfully rolled out" in api.kubectl("rollout", "status", "deploy/catalog-v1", "--timeout=5s")


def test_delete(api: Running) -> None:
    for obj in (virtual_service(), service(), deployment()):
        api.kubectl("create", "-f", "-", sent=obj)
    assert (
        api.kubectl("delete", "vs/catalog").strip() == 'virtualservice.networking.istio.io "catalog" deleted'
    )
    assert "deleted" in api.kubectl("delete", "-f", "-", sent=service())
    assert "deleted" in api.kubectl("delete", "deploy", "--all")
    assert "NotFound" in api.kubectl("delete", "vs/catalog", code=1)
    api.kubectl("delete", "vs/catalog", "--ignore-not-found")


def test_deleting_a_running_pod_waits_for_its_runner(api: Running) -> None:
    made = api.run(api.store.create(pod())).object
    api.run(api.store.update({**made, "status": running()}, subresource="status"))
    assert "deleted" in api.kubectl("delete", "pod", "catalog-v1-0", "--wait=false")
    assert api.kubectl("get", "pods", "--no-headers").split()[2] == "Terminating"
    api.run(api.store.delete(key(kind("Pod"), "shop", "catalog-v1-0"), Deletion(grace=0)))
    api.run(api.store.create(pod()))
    api.kubectl("delete", "pod", "catalog-v1-0", "--force", "--grace-period=0")
    assert api.store.find(key(kind("Pod"), "shop", "catalog-v1-0")) is None


def test_dry_run_and_diff_change_nothing(api: Running) -> None:
    api.kubectl("create", "-f", "-", sent=virtual_service())
    before = read(api, "vs", "catalog")
    assert "server dry run" in api.kubectl("apply", "--dry-run=server", "-f", "-", sent=reweighted(90))
    assert "server dry run" in api.kubectl("apply", "--dry-run=server", "-f", "-", sent=service())
    changed = api.kubectl("diff", "-f", "-", sent=reweighted(90), code=1)
    assert "weight: 90" in changed
    assert "+" in changed
    api.kubectl("diff", "-f", "-", sent=virtual_service())
    assert read(api, "vs", "catalog") == before
    assert "NotFound" in api.kubectl("get", "svc", "catalog", code=1)


def test_problems_come_back_as_a_refusal_or_a_warning(api: Running) -> None:
    refused = api.kubectl("apply", "-f", "-", sent=virtual_service("bad", host="unknown"), code=1)
    assert 'The VirtualService "bad" is invalid' in refused
    assert 'spec.hosts[0]: MW0201 unknown host "unknown" (name a Service)' in refused
    warned = api.kubectl("apply", "-f", "-", sent=virtual_service("odd"))
    assert 'Warning: spec.hosts[0]: MW0202 host "odd" is odd (rename it)' in warned
    assert "created" in warned


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("{{", "error"),
        (virtual_service("Wrong_Name"), "is not a name"),
        ({**service(), "apiVersion": "v9"}, "no matches for kind"),
        (
            {**service(), "metadata": {"name": "catalog", "namespace": "nowhere"}},
            'namespaces "nowhere" not found',
        ),
    ],
)
def test_bad_input_says_what_is_wrong(api: Running, sent: Any, told: str) -> None:
    namespace = [] if isinstance(sent, str) else ["-n", sent["metadata"].get("namespace", "shop")]
    assert told in api.kubectl("apply", *namespace, "-f", "-", sent=sent, code=1)


def test_typed_clients_protobuf_is_refused_in_words(api: Running) -> None:
    assert "kubectl create -f" in api.kubectl("create", "configmap", "a", "--from-literal=b=c", code=1)
