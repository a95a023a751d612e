"""A container's environment as this machine needs it: what is rewritten, and what is left as the chart says."""

from __future__ import annotations

from typing import Any

import pytest

from mesh.local.environment import Rewriting, arguments, environment, hosts_of, qualified, rewrite

CATALOG = "catalog.shop.svc.cluster.local"
REWRITING = Rewriting(
    namespace="shop",
    upstreams={(CATALOG, 50051): 21001, ("db.data.svc.cluster.local", 5432): 21002},
    ports={50051: 22001, 9090: 22002},
    mounts={"/data": "/m/volumes/p/data"},
)
POD: dict[str, Any] = {
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "labels": {"app": "web"},
        "annotations": {"a.b/c": "x"},
    },
    "spec": {"serviceAccountName": "web"},
    "status": {"podIP": "10.1.0.7"},
}


def nothing(kind: str, name: str) -> None:
    """There are no ConfigMaps and no Secrets."""


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("catalog:50051", "127.0.0.1:21001"),
        ("catalog.shop:50051", "127.0.0.1:21001"),
        ("catalog.shop.svc:50051", "127.0.0.1:21001"),
        (f"{CATALOG}:50051", "127.0.0.1:21001"),
        ("http://catalog:50051/v1", "http://127.0.0.1:21001/v1"),
        ("postgresql+asyncpg://u@db.data:5432/shop", "postgresql+asyncpg://u@127.0.0.1:21002/shop"),
        ("catalog:50051,db.data:5432", "127.0.0.1:21001,127.0.0.1:21002"),
        ("catalog:9999", "catalog:9999"),
        ("elsewhere.example.com:443", "elsewhere.example.com:443"),
        ("catalog", "catalog"),
    ],
)
def test_a_service_becomes_the_sidecars_listener_for_it(value: str, made: str) -> None:
    assert rewrite(value, REWRITING) == made


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("50051", "22001"),
        ("9090", "22002"),
        ("8080", "8080"),
        ("150051", "150051"),
        ("50051 ms", "50051 ms"),
        ("0.0.0.0:50051", "127.0.0.1:22001"),
        (":50051", "127.0.0.1:22001"),
        ("[::]:50051", "127.0.0.1:22001"),
        ("0.0.0.0", "127.0.0.1"),
        ("[::]", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("version 0.0.0.0", "version 0.0.0.0"),
        ("localhost:9090", "127.0.0.1:22002"),
        ("127.0.0.1:9090", "127.0.0.1:22002"),
        ("http://localhost:9090/metrics", "http://127.0.0.1:22002/metrics"),
        ("localhost:8080", "localhost:8080"),
        ("tcp://:50051", "tcp://127.0.0.1:22001"),
        ("[::1]:50051", "127.0.0.1:22001"),
        ("0.0.0.0:500510", "0.0.0.0:500510"),
    ],
)
def test_an_own_port_becomes_the_one_to_bind(value: str, made: str) -> None:
    assert rewrite(value, REWRITING) == made


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("/data", "/m/volumes/p/data"),
        ("/data/shop.db", "/m/volumes/p/data/shop.db"),
        ("sqlite+aiosqlite:////data/shop.db", "sqlite+aiosqlite:////m/volumes/p/data/shop.db"),
        ("/database", "/database"),
        ("/srv/data", "/srv/data"),
    ],
)
def test_a_mounted_path_becomes_the_volumes_directory(value: str, made: str) -> None:
    assert rewrite(value, REWRITING) == made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-1"),
        ("metadata.namespace", "shop"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['a.b/c']", "x"),
        ("metadata.labels['none']", ""),
        ("spec.serviceAccountName", "web"),
        ("status.podIP", "10.1.0.7"),
    ],
)
def test_the_downward_api(path: str, value: str) -> None:
    container = {"env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}
    assert environment(POD, container, REWRITING, nothing) == {"X": value}


def test_references_name_earlier_variables_only() -> None:
    container = {
        "env": [
            {"name": "HOST", "value": "catalog"},
            {"name": "URL", "value": "$(HOST):50051"},
            {"name": "EARLY", "value": "$(LATE)"},
            {"name": "LATE", "value": "1"},
        ]
    }
    made = environment(POD, container, REWRITING, nothing)
    assert made == {"HOST": "catalog", "URL": "127.0.0.1:21001", "EARLY": "$(LATE)", "LATE": "1"}


@pytest.mark.parametrize(
    ("host", "full"),
    [
        ("catalog", CATALOG),
        ("catalog.other", "catalog.other.svc.cluster.local"),
        ("catalog.other.svc", "catalog.other.svc.cluster.local"),
        (CATALOG, CATALOG),
        ("www.example.com", "www.example.com"),
    ],
)
def test_a_name_is_resolved_as_in_a_pod(host: str, full: str) -> None:
    assert qualified(host, "shop") == full


def test_what_a_container_may_call_is_read_from_its_values() -> None:
    container = {
        "env": [
            {"name": "CATALOG", "value": "catalog:50051"},
            {"name": "BOTH", "value": "http://a.b:80 c:1"},
            {"name": "NONE", "value": "text"},
            {"name": "OWN", "value": "0.0.0.0:50051 localhost:9090"},
            {"name": "FIELD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ]
    }
    assert list(hosts_of(container, "shop", nothing)) == [
        (CATALOG, 50051),
        ("a.b.svc.cluster.local", 80),
        ("c.shop.svc.cluster.local", 1),
    ]


def test_arguments_are_rewritten_as_values_are_and_name_any_variable() -> None:
    container = {"args": ["--listen=0.0.0.0:50051", "--to", "catalog:50051", "$(STORE)/x", "$(NONE)"]}
    made = arguments(container, {"STORE": "/data"}, REWRITING)
    assert made == ["--listen=127.0.0.1:22001", "--to", "127.0.0.1:21001", "/m/volumes/p/data/x", "$(NONE)"]
    assert list(hosts_of(container, "shop", nothing)) == [(CATALOG, 50051)]


def test_a_volumes_directory_may_lie_below_another_mount_path() -> None:
    mounts = {"/data": "/tmp/p/volumes/data", "/tmp": "/tmp/p/volumes/tmp"}
    assert rewrite("/data/a.db:/tmp/x", Rewriting("shop", mounts=mounts)) == (
        "/tmp/p/volumes/data/a.db:/tmp/p/volumes/tmp/x"
    )
