"""The official Python client: typed, custom objects, dynamic, watches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.dynamic import DynamicClient

from mesh.local.store import Deletion, key, kind
from tests.pure.local.api.manifests import deployment, pod, running, service, virtual_service
from tests.pure.local.api.running import Running

VIRTUAL_SERVICES = ("networking.istio.io", "v1", "shop", "virtualservices")


@pytest.fixture
def connection(api: Running) -> Iterator[client.ApiClient]:
    with config.new_client_from_config(str(api.kubeconfig)) as connected:
        yield connected


@pytest.fixture
def core(connection: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(connection)


@pytest.fixture
def custom(connection: client.ApiClient) -> client.CustomObjectsApi:
    return client.CustomObjectsApi(connection)


def test_typed_objects(core: client.CoreV1Api, connection: client.ApiClient) -> None:
    made = core.create_namespaced_service("shop", service())
    assert made.spec.cluster_ip == "10.2.0.1"
    assert core.read_namespaced_service("catalog", "shop").spec.ports[0].target_port == "grpc"
    assert [item.metadata.name for item in core.list_service_for_all_namespaces().items] == ["catalog"]
    patched = core.patch_namespaced_service("catalog", "shop", {"metadata": {"labels": {"a": "b"}}})
    assert patched.metadata.labels == {"a": "b"}
    assert core.delete_namespaced_service("catalog", "shop").metadata.name == "catalog"
    apps = client.AppsV1Api(connection)
    apps.create_namespaced_deployment("shop", deployment())
    assert apps.read_namespaced_deployment_scale("catalog-v1", "shop").spec.replicas == 1
    scaled = apps.patch_namespaced_deployment_scale("catalog-v1", "shop", {"spec": {"replicas": 2}})
    assert scaled.spec.replicas == 2
    apps.delete_namespaced_deployment("catalog-v1", "shop")
    assert apps.list_deployment_for_all_namespaces().items == []
    apps.create_namespaced_deployment("shop", deployment())
    apps.delete_collection_namespaced_deployment("shop", label_selector="app=catalog")
    assert apps.list_namespaced_deployment("shop").items == []


def test_a_pod_with_its_status_and_logs(api: Running, core: client.CoreV1Api) -> None:
    core.create_namespaced_pod("shop", pod())
    told = core.patch_namespaced_pod_status("catalog-v1-0", "shop", {"status": running()})
    assert told.status.container_statuses[0].state.running.started_at == datetime(
        2026, 11, 23, 12, tzinfo=UTC
    )
    assert core.read_namespaced_pod_log("catalog-v1-0", "shop", tail_lines=1) == "catalog-v1-0 catalog 2\n"
    with pytest.raises(ApiException, match=r"choose one of: \[catalog\]"):
        core.read_namespaced_pod_log("catalog-v1-0", "shop", container="envoy")
    marked = core.delete_namespaced_pod("catalog-v1-0", "shop", grace_period_seconds=7)
    assert marked.metadata.deletion_grace_period_seconds == 7
    core.delete_namespaced_pod("catalog-v1-0", "shop", grace_period_seconds=0)
    with pytest.raises(ApiException) as gone:
        core.read_namespaced_pod("catalog-v1-0", "shop")
    assert gone.value.status == 404


def test_custom_objects(custom: client.CustomObjectsApi) -> None:
    made = custom.create_namespaced_custom_object(*VIRTUAL_SERVICES, virtual_service())
    merge = {"spec": {"hosts": ["merged"]}}
    patched: Any = custom.patch_namespaced_custom_object(*VIRTUAL_SERVICES, "catalog", merge)
    assert patched["spec"]["hosts"] == ["merged"]
    with pytest.raises(ApiException) as stale:
        custom.replace_namespaced_custom_object(*VIRTUAL_SERVICES, "catalog", made)
    assert (stale.value.status, "modified" in str(stale.value.body)) == (409, True)
    with pytest.raises(ApiException) as bad:
        custom.patch_namespaced_custom_object(*VIRTUAL_SERVICES, "catalog", {"spec": {"hosts": ["unknown"]}})
    assert bad.value.status == 422
    found: Any = custom.list_cluster_custom_object("networking.istio.io", "v1", "virtualservices")
    assert [item["metadata"]["name"] for item in found["items"]] == ["catalog"]
    custom.delete_namespaced_custom_object(*VIRTUAL_SERVICES, "catalog")


def test_a_dynamic_client(connection: client.ApiClient) -> None:
    dynamic = DynamicClient(connection)
    kinds = dynamic.resources.get(api_version="networking.istio.io/v1beta1", kind="VirtualService")
    kinds.create(body=virtual_service(api_version="networking.istio.io/v1beta1"), namespace="shop")
    applied = kinds.server_side_apply(
        body=virtual_service(host="applied", api_version="networking.istio.io/v1beta1"),
        namespace="shop",
        field_manager="tests",
        force_conflicts=True,
    )
    assert applied.spec.hosts == ["applied"]
    assert kinds.get(name="catalog", namespace="shop").apiVersion == "networking.istio.io/v1beta1"
    assert [item.metadata.name for item in kinds.get(namespace="shop").items] == ["catalog"]
    kinds.delete(name="catalog", namespace="shop")


def test_a_watch_from_a_list(api: Running, core: client.CoreV1Api) -> None:
    core.create_namespaced_pod("shop", pod("before"))
    version = core.list_namespaced_pod("shop").metadata.resource_version
    core.create_namespaced_pod("shop", pod("after", tier="x"))
    core.patch_namespaced_pod("after", "shop", {"metadata": {"labels": {"tier": "y"}}})
    core.delete_namespaced_pod("after", "shop", grace_period_seconds=0)
    stream = watch.Watch().stream(
        core.list_namespaced_pod, "shop", resource_version=version, label_selector="tier=x", timeout_seconds=5
    )
    seen = [(next(stream)["type"]) for _ in range(2)]
    assert seen == ["ADDED", "DELETED"], "it left the selection before it was deleted"


def test_a_watch_without_a_version_begins_with_what_there_is(core: client.CoreV1Api) -> None:
    core.create_namespaced_pod("shop", pod("before"))
    events = list(watch.Watch().stream(core.list_namespaced_pod, "shop", timeout_seconds=1))
    assert [(event["type"], event["object"].metadata.name) for event in events] == [("ADDED", "before")]


def test_bookmarks_keep_a_quiet_watch_up_to_date(api: Running, custom: client.CustomObjectsApi) -> None:
    stream = watch.Watch().stream(
        custom.list_namespaced_custom_object,
        *VIRTUAL_SERVICES,
        resource_version=str(api.store.version),
        allow_watch_bookmarks=True,
        timeout_seconds=10,
    )
    made = api.run(api.store.create(pod())).object
    for event in stream:
        assert event["type"] == "BOOKMARK"
        if event["raw_object"]["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]:
            break
    else:
        pytest.fail("no bookmark reached the version of another kind's change")


def test_a_forgotten_version_is_gone(core: client.CoreV1Api) -> None:
    stream = watch.Watch().stream(core.list_namespaced_pod, "shop", resource_version="1")
    with pytest.raises(ApiException) as gone:
        next(stream)
    assert gone.value.status == 410


def test_a_streaming_list_ends_with_its_bookmark(api: Running, core: client.CoreV1Api) -> None:
    core.create_namespaced_pod("shop", pod("one"))
    stream = watch.Watch().stream(
        core.list_namespaced_pod,
        "shop",
        send_initial_events=True,
        resource_version_match="NotOlderThan",
        allow_watch_bookmarks=True,
        timeout_seconds=5,
    )
    first, second = next(stream), next(stream)
    assert (first["type"], second["type"]) == ("ADDED", "BOOKMARK")
    assert second["raw_object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_status_of_a_deleted_owner(
    api: Running, core: client.CoreV1Api, connection: client.ApiClient
) -> None:
    owner = client.AppsV1Api(connection).create_namespaced_deployment("shop", deployment())
    owned = pod()
    refers = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "catalog-v1", "uid": owner.metadata.uid}
    owned["metadata"]["ownerReferences"] = [refers]
    core.create_namespaced_pod("shop", owned)
    client.AppsV1Api(connection).delete_namespaced_deployment("catalog-v1", "shop")
    assert core.read_namespaced_pod("catalog-v1-0", "shop").metadata.deletion_timestamp
    api.run(api.store.delete(key(kind("Pod"), "shop", "catalog-v1-0"), Deletion(grace=0)))
