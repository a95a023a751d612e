"""A node says of a pod what Istio's agent said of it on a cluster (`istioctl proxy-config bootstrap`, Istio 1.31)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mesh.envoy.node import node
from mesh.model.identity import Identity
from mesh.model.service import Workload

LABELS = {"app": "catalog", "version": "v1", "security.istio.io/tlsMode": "istio"}
CATALOG = Workload(
    name="catalog-v1-947889dbf-nqm6t",
    namespace="shop",
    owner="catalog-v1",
    identity=Identity("shop", "catalog"),
    pod_address="198.18.128.72",
    labels=LABELS,
)


def test_a_pod_of_a_deployment() -> None:
    assert node(CATALOG) == {
        "id": "sidecar~198.18.128.72~catalog-v1-947889dbf-nqm6t.shop~shop.svc.cluster.local",
        "cluster": "catalog.shop",
        "metadata": {
            "NAME": "catalog-v1-947889dbf-nqm6t",
            "NAMESPACE": "shop",
            "CLUSTER_ID": "Kubernetes",
            "MESH_ID": "cluster.local",
            "INSTANCE_IPS": "198.18.128.72",
            "LABELS": LABELS,
            "OWNER": "kubernetes://apis/apps/v1/namespaces/shop/deployments/catalog-v1",
            "SERVICE_ACCOUNT": "catalog",
            "WORKLOAD_NAME": "catalog-v1",
        },
    }


def test_a_pod_that_nothing_made_owns_itself() -> None:
    alone = node(replace(CATALOG, name="debug", owner="debug"))
    assert alone["metadata"]["OWNER"] == "kubernetes://apis/v1/namespaces/shop/pods/debug"


def test_without_a_label_app_the_service_cluster_is_that_of_the_owner() -> None:
    assert node(replace(CATALOG, labels={}))["cluster"] == "catalog-v1.shop"


@pytest.mark.parametrize(
    ("written", "locality"),
    [
        ("eu", {"region": "eu"}),
        ("eu/eu-1", {"region": "eu", "zone": "eu-1"}),
        ("eu/eu-1/rack-7", {"region": "eu", "zone": "eu-1", "sub_zone": "rack-7"}),
    ],
)
def test_where_it_runs_is_said_when_it_is_known(written: str, locality: dict[str, str]) -> None:
    assert node(replace(CATALOG, locality=written))["locality"] == locality
