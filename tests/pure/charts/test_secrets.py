"""What the shop's chart makes of passwords: who has which, and from where. Rendered by Helm's own code."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.local.render import render

CHART = Path(__file__).resolve().parents[3] / "charts" / "shop"
SERVICES = ("storefront", "catalog", "inventory", "payments", "shipping", "orders")
POSTGRES = {"database": {"kind": "postgres"}}
EXTERNAL = {"kind": "external", "prefix": "prod/", "store": {"name": "vault", "kind": "ClusterSecretStore"}}
VAULT = {"vault": {"server": "https://vault.example", "path": "secret", "version": "v2"}}
AWS = {"aws": {"service": "SecretsManager", "region": "eu-central-1"}}


def objects(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    rendered = render(CHART, "shop", "shop", overrides=values)
    assert not rendered.problems, rendered.problems
    return [document for document in yaml.safe_load_all(rendered.text) if document]


@cache
def on_postgres() -> list[dict[str, Any]]:
    return objects({"global": POSTGRES})


def named(found: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in found if each["kind"] == kind}


def test_each_service_has_a_password_of_its_own_in_a_secret() -> None:
    secrets = named(on_postgres(), "Secret")
    assert set(secrets) == {f"database-{service}" for service in SERVICES}
    passwords = {base64.b64decode(secret["data"]["password"]) for secret in secrets.values()}
    assert len(passwords) == len(SERVICES)
    assert {len(password) for password in passwords} == {32}


def test_a_secret_is_mounted_by_its_service_and_the_server_only_and_is_in_no_environment() -> None:
    mounts: dict[str, set[str]] = {}
    for deployment in named(on_postgres(), "Deployment").values():
        spec = deployment["spec"]["template"]["spec"]
        for volume in spec.get("volumes", []):
            for source in volume.get("projected", {}).get("sources", [volume]):
                if "secret" in source:
                    name = source["secret"].get("secretName") or source["secret"]["name"]
                    mounts.setdefault(name, set()).add(spec["serviceAccountName"])
        assert "secretKeyRef" not in str(spec)
        assert "envFrom" not in str(spec)
    assert mounts == {f"database-{service}": {service, "database"} for service in SERVICES}


def test_a_url_names_the_file_and_no_password() -> None:
    (container,) = named(on_postgres(), "Deployment")["orders"]["spec"]["template"]["spec"]["containers"]
    urls = [each["value"] for each in container["env"] if each["name"] == "DATABASE_URL"]
    file = "/etc/secrets/database/password"
    assert urls == [f"postgresql+asyncpg://orders@database:5432/orders?password_file={file}"]


def test_only_services_with_a_database_there_may_reach_it_and_by_its_port() -> None:
    policies = named(on_postgres(), "AuthorizationPolicy")
    allowed = {name: each["spec"] for name, each in policies.items() if name.endswith("-to-database")}
    assert set(allowed) == {f"{service}-to-database" for service in SERVICES}
    (rule,) = allowed["orders-to-database"]["rules"]
    assert rule["from"] == [{"source": {"principals": ["cluster.local/ns/shop/sa/orders"]}}]
    assert rule["to"] == [{"operation": {"ports": ["5432"]}}]
    assert "rules" not in policies["database-nobody"]["spec"]
    assert named(on_postgres(), "PeerAuthentication")["database"]["spec"]["mtls"] == {"mode": "STRICT"}


@pytest.mark.parametrize("provider", [VAULT, AWS], ids=["vault", "aws"])
def test_external_secrets_fetches_them_from_a_store_that_the_release_makes(
    provider: dict[str, Any],
) -> None:
    store = {"name": "shop", "provider": provider}
    found = objects({"global": POSTGRES | {"secrets": {"kind": "external", "store": store}}})
    assert named(found, "Secret") == {}
    made = named(found, "SecretStore")["shop"]
    assert (made["apiVersion"], made["spec"]) == ("external-secrets.io/v1", {"provider": provider})
    assert named(found, "ExternalSecret")["database-orders"]["spec"] == {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": "SecretStore", "name": "shop"},
        "target": {"name": "database-orders", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
        "data": [
            {
                "secretKey": "password",
                "remoteRef": {"key": "shop/orders/database", "property": "password"},
            }
        ],
    }


def test_a_store_that_is_there_is_named_and_not_made() -> None:
    found = objects({"global": POSTGRES | {"secrets": EXTERNAL}})
    assert named(found, "SecretStore") == named(found, "ClusterSecretStore") == {}
    spec = named(found, "ExternalSecret")["database-catalog"]["spec"]
    assert spec["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "vault"}
    assert spec["data"][0]["remoteRef"]["key"] == "prod/catalog/database"


def test_a_secret_of_yours_is_mounted_and_none_is_made() -> None:
    mine = {"url": "postgresql+asyncpg://orders@db.example:5432/orders", "secret": "mine"}
    found = objects({"orders": {"database": mine}})
    assert named(found, "Secret") == {}
    spec = named(found, "Deployment")["orders"]["spec"]["template"]["spec"]
    assert {"name": "database", "secret": {"secretName": "mine", "defaultMode": 0o440}} in spec["volumes"]


def test_without_postgres_there_is_no_server_and_no_secret() -> None:
    found = objects({})
    assert named(found, "Secret") == {}
    assert "database" not in named(found, "Deployment")


def test_a_password_in_values_is_refused() -> None:
    url = "postgresql+asyncpg://orders:secret@db.example/orders"
    rendered = render(CHART, "shop", "shop", overrides={"orders": {"database": {"url": url}}})
    assert any("database" in problem.message for problem in rendered.problems)
