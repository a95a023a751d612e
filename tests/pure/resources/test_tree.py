"""YAML is read whole, with the line of every field; what is wrong with it is said where it stands."""

from __future__ import annotations

import pytest

from mesh.resources.problem import Place
from mesh.resources.tree import documents

BROKEN = {
    "an unclosed bracket": ("a: 1\nb: [1, 2\nc: 3\n", 3),
    "an unclosed quote": ('a: "x\n', 2),
    "a tab": ("a:\n\tb: 1\n", 2),
    "bad indentation": ("a:\n  b: 1\n c: 2\n", 3),
    "two values": ("a: b: c\n", 1),
    "an unknown alias": ("a: 1\nb: *x\n", 2),
    "a character that is none": ("a: 1\nb: \x00\n", 2),
    "a directive that is none": ("%YAML 9.9\n%YAML 9.9\n---\na: 1\n", 1),
    "a mapping as a key": ("a: 1\n{b: 1}: 2\n", 2),
    "a template": ("a: {{ .Values.a }}\n", 1),
}


@pytest.mark.parametrize(("text", "line"), BROKEN.values(), ids=BROKEN)
def test_broken_yaml_is_a_problem_with_its_line(text: str, line: int) -> None:
    _, problems = documents(text, "a.yaml")
    assert [(p.code, str(p.severity), p.place.file, p.place.line) for p in problems] == [
        ("MW0001", "error", "a.yaml", line)
    ]


def test_what_stands_before_broken_yaml_is_read() -> None:
    found, problems = documents("a: 1\n---\nb: [\n", "a.yaml")
    assert [document.data for document in found] == [{"a": 1}]
    assert [p.place.line for p in problems] == [4]


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a"),
        ("x:\n  y:\n  - {k: 1, j: 2}\n  - k: 1\n    k: 1\n", 5, "x.y[1].k"),
        ("a: 1\n'a': 2\n", 2, "a"),
        ("1: a\n---\n# Source: shop/templates/a.yaml\nb: 1\nb: 1\n", 2, "b"),
    ],
)
def test_a_duplicate_key_is_a_problem_with_its_line(text: str, line: int, path: str) -> None:
    _, problems = documents(text, "a.yaml")
    assert [(p.code, str(p.severity), p.place.line, p.place.path) for p in problems] == [
        ("MW0002", "error", line, path)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
        "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\n",
        "a: &a [*a]\n",
        "[" * 3000 + "]" * 3000,
        "a: &a {<<: *a}\n",
    ],
)
def test_a_bomb_is_refused_at_once(text: str) -> None:
    _, problems = documents(text, "a.yaml")
    assert [p.code for p in problems] == ["MW0001"]


def test_anchors_and_merges_are_followed() -> None:
    text = "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nx:\n  <<: [*base, *more]\n  a: 5\ny: *base\n"
    found, problems = documents(text, "a.yaml")
    assert problems == []
    assert found[0].data["x"] == {"a": 5, "b": 2, "c": 4}
    assert found[0].data["y"] == {"a": 1, "b": 2}


def test_each_field_has_its_line_and_a_missing_one_its_parents() -> None:
    found, _ = documents("# first\nspec:\n  http:\n  - route: []\n  - {}\n---\nkind: B\n", "a.yaml")
    first, second = found
    assert first.place(("spec", "http", 0, "route")) == Place("a.yaml", 4, "spec.http[0].route")
    assert first.place(("spec", "http", 1, "timeout")).line == 5
    assert first.place(("spec", "tls", 3, "x")).line == 2
    assert second.place(("kind",)).line == 7


def test_lines_of_a_rendered_chart_are_those_of_its_templates() -> None:
    text = "---\n# Source: shop/templates/a.yaml\nkind: A\nspec:\n  a: 1\n---\n# Source: shop/templates/b.yaml\n\nkind: B\n"
    found, _ = documents(text, "shop")
    assert found[0].place(("spec", "a")) == Place("shop/templates/a.yaml", 3, "spec.a")
    assert found[1].place(("kind",)) == Place("shop/templates/b.yaml", 2, "kind")


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n---\n", "---\n# nothing\n...\n"])
def test_a_text_without_documents_has_none(text: str) -> None:
    assert [d.data for d in documents(text, "a.yaml")[0] if d.data is not None] == []
    assert documents(text, "a.yaml")[1] == []
