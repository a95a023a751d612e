"""What is wrong with a test file is said with its line, its code and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.suite.read import beside, read

RIGHT = "cases: [{from: a, to: b, expect: allowed}]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: []\n", "t.yaml:1: MW0601 error this file has no cases"),
        ("case: []\n", "t.yaml:1: MW0101 error this has no field 'case' (did you mean cases?)"),
        ("cases:\n  - to: b\n    expect: allowed\n", "t.yaml:2: MW0601 error this case does not say from"),
        ("cases:\n  - {from: a, to: b}\n", "t.yaml:2: MW0601 error this case expects nothing"),
        (
            "cases:\n  - from: a\n    to: b\n    method: M\n    path: /\n    expect: allowed\n",
            "t.yaml:5: MW0601 error this case has a method and a path",
        ),
        (
            "cases:\n  - from: a\n    to: b\n    expect: denied\n",
            "t.yaml:4: MW0103 error cases[0].expect.verdict: 'denied' is not one of its names "
            "(use one of: allowed, refused, answered, unrouted, unreachable, divided)",
        ),
        (
            "cases:\n  - from: a\n    to: b\n    expect:\n      shares: {c: most}\n",
            "t.yaml:5: MW0601 error 'most' is no share (write it as 90%)",
        ),
        (
            "cases:\n  - from: a\n    to: b\n    expect:\n      attempt: 3\n",
            "t.yaml:5: MW0101 error cases[0].expect has no field 'attempt' (did you mean attempts?)",
        ),
        ("cases:\n  - a\n", "t.yaml:2: MW0103 error cases[0]: expected a mapping, found 'a'"),
        ("cases: [\n", "t.yaml:2: MW0001 error this is not YAML"),
        ("- a\n", "t.yaml:1: MW0001 error this is no mapping"),
    ],
)
def test_a_mistake_has_its_line_and_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.yaml").write_text(text)
    made, problems = read(tmp_path / "t.yaml", "t.yaml")
    assert made is None
    assert str(problems[0]).startswith(said)
    assert problems[0].fix


def test_tests_are_those_beside_a_chart_and_the_charts_in_it(tmp_path: Path) -> None:
    kept = ["charts/leaf/tests/a.yml", "tests/a.yaml"]
    for name in (*kept, "templates/tests/hook.yaml", "tests/notes.txt", "tests/old.yaml.orig", "values.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(RIGHT)
    assert beside(tmp_path) == [tmp_path / name for name in kept]


def test_another_tools_tests_in_the_same_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "unit.yaml").write_text("suite: web\ntests: [{it: renders}]\n")
    assert read(tmp_path / "unit.yaml", "unit.yaml", found_in_folder=True) == (None, [])
    assert read(tmp_path / "unit.yaml", "unit.yaml")[1]
