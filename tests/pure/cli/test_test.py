"""`mesh test` says what fails and why, in words or for CI, and its exit code whether anything does."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from mesh.cli.test import command

ROOT = Path(__file__).resolve().parents[3]
MESH = Path(__file__).parents[1] / "explain" / "mesh.yaml"
CASES = """\
cases:
  - {from: client, to: web, method: Get, expect: allowed}
  - {from: client, to: web, method: Get, expect: refused}
  - {from: nobody, to: web, method: Get, expect: refused}
"""


def test(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments])


test.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    (tmp_path / "cases.yaml").write_text(CASES)
    return tmp_path / "cases.yaml"


def test_every_test_of_the_shop_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = test()
    assert found.exit_code == 0, found.output


def test_failures_are_shown_and_counted(cases: Path) -> None:
    found = test(MESH, "--tests", cases)
    assert found.exit_code == 1, found.output
    assert f"FAILED  client -> web Get  {cases}:3\n  verdict: expected refused, got allowed\n" in found.output
    assert "1 of 3 routes touched\n1 of 1 rules touched\n1 passed, 2 failed in " in found.output
    assert test(MESH, "--tests", cases, "-k", "nothing of it").exit_code == 2


def test_coverage_names_what_is_untouched(cases: Path) -> None:
    found = test(MESH, "--tests", cases.parent, "--coverage")
    assert "  untouched  VirtualService default/web http[0]  " in found.output


def test_junit_counts_failures_and_errors_with_their_lines(cases: Path) -> None:
    root = ElementTree.fromstring(test(MESH, "--tests", cases, "-o", "junit").output)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")
    lines = {case.get("line"): [each.tag for each in case] for case in root.iter("testcase")}
    assert lines == {"2": [], "3": ["failure"], "4": ["error"]}


def test_json_has_every_answer(cases: Path) -> None:
    found = json.loads(test(MESH, "--tests", cases, "-o", "json").output)
    assert [each["passed"] for each in found["cases"]] == [True, False, False]
    assert found["cases"][0]["answer"]["verdict"] == "allowed"
    assert found["coverage"]["routes"]["total"] == 3


def test_a_wrong_test_file_is_not_run(cases: Path) -> None:
    cases.write_text(CASES + "  - {from: client, to: web}\n")
    found = test(MESH, "--tests", cases)
    assert found.exit_code == 2
    assert f"{cases}:5: MW0601 error this case expects nothing" in found.output


def test_files_need_tests_and_tests_a_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "which --tests" in test(MESH).output
    assert "there is no mesh.yaml" in test().output
    (tmp_path / "empty").mkdir()
    assert "there are no tests" in test(MESH, "--tests", tmp_path / "empty").output
