"""ConfigMaps and Secrets in a container's variables and files."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

from mesh.local.environment import Rewriting, environment, hosts_of
from mesh.local.keyed import Missing, fill, mentioned

POD: dict[str, Any] = {"metadata": {"name": "web-1", "namespace": "shop"}, "spec": {}}
KEPT: dict[tuple[str, str], Any] = {
    ("ConfigMap", "web"): {"data": {"COLOUR": "blue", "CATALOG": "catalog:50051"}},
    ("Secret", "db"): {"data": {"password": base64.b64encode(b"s3cret").decode()}},
}


def find(kind: str, name: str) -> Any:
    return KEPT.get((kind, name))


def made(container: dict[str, Any]) -> dict[str, str]:
    return environment(POD, container, Rewriting("shop"), find)


def key(reference: str, name: str, key: str, **more: object) -> dict[str, Any]:
    return {"env": [{"name": "X", "valueFrom": {reference: {"name": name, "key": key, **more}}}]}


def test_variables_come_from_keys_and_from_whole_maps() -> None:
    assert made(key("configMapKeyRef", "web", "COLOUR")) == {"X": "blue"}
    assert made(key("secretKeyRef", "db", "password")) == {"X": "s3cret"}
    whole = {"envFrom": [{"prefix": "P_", "configMapRef": {"name": "web"}}, {"secretRef": {"name": "db"}}]}
    assert made(whole) == {"P_COLOUR": "blue", "P_CATALOG": "catalog:50051", "password": "s3cret"}


def test_what_is_missing_is_named_with_what_there_is() -> None:
    with pytest.raises(Missing, match=r"^there is no ConfigMap nowhere$"):
        made(key("configMapKeyRef", "nowhere", "COLOUR"))
    with pytest.raises(Missing, match=r"^ConfigMap web has no key COLOR; it has CATALOG, COLOUR$"):
        made(key("configMapKeyRef", "web", "COLOR"))
    with pytest.raises(Missing, match=r"^there is no Secret gone$"):
        made({"envFrom": [{"secretRef": {"name": "gone"}}]})
    assert made(key("secretKeyRef", "db", "user", optional=True)) == {}


def test_a_service_that_a_map_names_may_be_called() -> None:
    container = {"envFrom": [{"configMapRef": {"name": "web"}}]}
    assert list(hosts_of(container, "shop", find)) == [("catalog.shop.svc.cluster.local", 50051)]


def test_a_volume_holds_a_file_a_key_and_follows_changes(tmp_path: Path) -> None:
    volume = {"name": "v", "configMap": {"name": "web"}}
    fill(volume, tmp_path, find)
    assert (tmp_path / "COLOUR").read_text() == "blue"
    fill(volume, tmp_path, lambda kind, name: {"data": {"COLOUR": "red"}})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"COLOUR": "red"}


def test_items_choose_keys_and_their_paths(tmp_path: Path) -> None:
    volume = {"name": "v", "configMap": {"name": "web", "items": [{"key": "COLOUR", "path": "a/b"}]}}
    fill(volume, tmp_path, find)
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()] == ["a/b"]
    volume["configMap"] = {"name": "web", "items": [{"key": "NO", "path": "x"}]}
    with pytest.raises(Missing, match=r"no key NO"):
        fill(volume, tmp_path, find)


def test_a_secrets_files_are_for_their_owner_only(tmp_path: Path) -> None:
    fill({"name": "v", "secret": {"secretName": "db"}}, tmp_path, find)
    assert (tmp_path / "password").read_text() == "s3cret"
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600


def test_what_a_pod_has_mounted() -> None:
    volumes = [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "web"}}]
    volumes.append({"name": "c", "secret": {"secretName": "db"}})
    assert mentioned({"spec": {"volumes": volumes}}) == {("ConfigMap", "web"), ("Secret", "db")}
