"""`mesh explain` prints one glance, or JSON, and says what it does not know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mesh.cli.explain import command

MESH = Path(__file__).parents[1] / "explain" / "mesh.yaml"


def explain(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments)])


def test_the_first_line_is_the_verdict() -> None:
    found = explain(MESH, "--from", "client", "--to", "web", "--method", "Get")
    assert found.exit_code == 0, found.output
    assert found.output.startswith("ALLOWED  default/client -> web:80  POST /web.Web/Get\n")
    assert f"AuthorizationPolicy default/client-to-web rule 0  {MESH}:" in found.output


def test_a_refusal_is_an_answer_and_no_error() -> None:
    found = explain(MESH, "--from", "stranger", "--to", "web", "--path", "/", "-o", "json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.output)["verdict"] == "unreachable"


def test_headers_choose_the_route() -> None:
    found = explain(MESH, "--from", "client", "--to", "web", "--method", "Get", "-H", "x-version: v2")
    assert "fault   25% delayed by 2 s" in found.output


def test_claims_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "claims.json").write_text("[1]")
    found = explain(MESH, "--from", "client", "--to", "web", "--path", "/", "--jwt", tmp_path / "claims.json")
    assert (found.exit_code, "claims are a JSON object" in found.output) == (2, True)


def test_an_unknown_name_is_said_with_the_nearest() -> None:
    found = explain(MESH, "--from", "clint", "--to", "web", "--path", "/")
    assert (found.exit_code, "did you mean client?" in found.output) == (2, True)


def test_a_mesh_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = explain("--from", "client", "--to", "web", "--path", "/")
    assert (found.exit_code, "no mesh is up here" in found.output) == (1, True)


def test_a_cluster_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("apiVersion: v1\nkind: Config\n")
    found = explain("--from", "client", "--to", "web", "--path", "/", "--kubeconfig", tmp_path / "config")
    assert (found.exit_code, "the kubeconfig cannot be used" in found.output) == (1, True)
