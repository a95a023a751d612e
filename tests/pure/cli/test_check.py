"""`mesh check` says what is wrong, where, and what to do, and its exit code whether anything is."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mesh.cli.check import command
from mesh.link.codes import CODES

ROOT = Path(__file__).resolve().parents[3]
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: grpc, port: 80}]}
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
    - route: [{destination: {host: web}}]
"""


def check(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments], input=stdin)


def test_nothing_wrong_is_said_and_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(SERVICE)
    found = check(tmp_path / "web.yaml")
    assert (found.exit_code, found.output) == (0, "1 object: nothing wrong\n")


def test_a_mistake_has_file_line_code_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "route.yaml"
    file.write_text(ROUTE.replace("- route", "- timeOut: 3s\n      route"))
    found = check(file)
    assert found.exit_code == 1
    assert found.output.splitlines()[:2] == [
        f"{file}:7: MW0101 error spec.http[0] has no field 'timeOut'",
        "    did you mean timeout?",
    ]


def test_files_and_folders_are_one_mesh(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "web.yml").write_text(SERVICE)
    (tmp_path / "route.yaml").write_text(ROUTE)
    assert check(tmp_path / "route.yaml").exit_code == 1
    assert check(tmp_path / "route.yaml", folder).exit_code == 0
    assert check("-", folder, stdin=ROUTE).exit_code == 0


def test_json_has_the_same_in_fields(tmp_path: Path) -> None:
    file = tmp_path / "route.yaml"
    file.write_text(ROUTE)
    found = check(file, "-o", "json")
    problem, *_ = json.loads(found.output)
    assert found.exit_code == 1
    assert (problem["file"], problem["line"], problem["severity"]) == (str(file), 5, "error")
    assert problem.keys() == {"file", "line", "path", "code", "severity", "message", "fix"}


def test_sarif_is_a_log_of_one_run(tmp_path: Path) -> None:
    file = tmp_path / "route.yaml"
    file.write_text(ROUTE)
    found = check(file, "-o", "sarif")
    log = json.loads(found.output)
    (run,) = log["runs"]
    result, *_ = run["results"]
    assert found.exit_code == 1
    assert log["version"] == "2.1.0"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "MW0201"
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == file.as_uri()
    assert place["physicalLocation"]["region"] == {"startLine": 5}
    assert json.loads(check("-o", "sarif", "-", stdin=SERVICE).output)["runs"][0]["results"] == []


def test_github_gets_a_command_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "route.yaml"
    file.write_text(ROUTE)
    assert check(file, "-o", "github").output.startswith(
        f"::error file={file},line=5,title=MW0201 Unknown host::"
    )


def test_what_is_found_in_a_template_names_the_file_of_the_chart(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("catalog: {versions: {v1: {replicas: 1, weight: 60}, v2: {replicas: 1, weight: 60}}}")
    chart = ROOT / "charts" / "shop"
    found = check("--chart", chart, "-n", "shop", "-f", values, "-o", "github").output
    assert found.startswith(f"::error file={chart}/charts/catalog/templates/virtualservice.yaml,title=MW0301")
    assert " (rendered line " in found


def test_a_retry_that_the_contract_does_not_bear_is_an_error(tmp_path: Path) -> None:
    text = (ROOT / "tests/pure/contract/mesh.yaml").read_text()
    (tmp_path / "mesh.yaml").write_text(
        text.replace("attempts: 0}\n      timeout: 5s", "attempts: 1}\n      timeout: 5s")
    )
    contract = ROOT / "tests/pure/contract/contract.yaml"
    found = check(tmp_path / "mesh.yaml", "--contract", contract)
    assert (found.exit_code, "MW0701 error /shop.v1.Orders/Place" in found.output) == (1, True)
    assert check(tmp_path / "mesh.yaml").exit_code == 0


def test_what_is_said_of_other_analyzers_names_codes_that_there_are() -> None:
    """And each of theirs once."""
    text = (ROOT / "docs" / "analyzers.md").read_text()
    assert set(re.findall(r"MW\d{4}", text)) <= {code.code for code in CODES}
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith(("| IST", "| KIA"))]
    named = [code for row in rows for code in re.findall(r"(?:IST|KIA)\d{4}", row)]
    assert len(named) == len(set(named)) > 80


def test_the_shops_chart_is_right() -> None:
    found = check("--chart", ROOT / "charts" / "shop", "-n", "shop")
    assert (found.exit_code, found.output.endswith(": nothing wrong\n")) == (0, True), found.output


def test_a_mistake_in_a_chart_names_its_template(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("catalog: {versions: {v1: {replicas: 1, weight: 60}, v2: {replicas: 1, weight: 60}}}")
    found = check("--chart", ROOT / "charts" / "shop", "-n", "shop", "-f", values)
    assert found.exit_code == 1
    assert "shop/charts/catalog/templates/virtualservice.yaml:" in found.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which FILES"),
        (("-f", __file__, "y.yaml"), "--values are for --chart"),
        (("nowhere.yaml",), "nowhere.yaml: No such file"),
        (("--chart", "nowhere"), "'nowhere' does not exist"),
        (("--chart", ".", "-f", "nowhere.yaml"), "'nowhere.yaml' does not exist"),
        ((sys.executable,), "can't decode"),
    ],
)
def test_what_cannot_be_read_is_said(arguments: tuple[str, ...], said: str) -> None:
    found = check(*arguments)
    assert found.exit_code == 2
    assert said in found.output


def test_a_chart_that_does_not_render_is_said_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: small\nversion: 0.1.0\n")
    (tmp_path / "templates" / "a.yaml").write_text(
        'kind: A\nname: {{ required "give a name" .Values.name }}\n'
    )
    found = check("--chart", tmp_path)
    assert found.exit_code == 1
    assert found.output.startswith("small/templates/a.yaml:2: MW0503 error")
    assert "give a name" in found.output


def test_warnings_alone_are_no_error(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(SERVICE.replace("spec: {", "spec: {selector: {app: web}, "))
    found = check(file)
    assert found.exit_code == 0
    assert found.output.splitlines()[-1] == "1 object: 0 errors, 1 warning"
