"""In what is right, nothing is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.envoy.patching import linked as link
from mesh.local.render import render
from mesh.resources.object import parse
from mesh.resources.problem import Severity
from tests.pure.link.cases import HERE, Case, cases, linked, mesh

ROOT = HERE.parents[2]
#: What a golden does wrong on purpose, since istiod translates it.
WRONG = {"delegates.in.yaml": {"MW0212"}}
GOLDENS = sorted((ROOT / "tests" / "parity").glob("*.in.yaml"))


def test_the_mesh_of_the_tables_is_right() -> None:
    assert link(mesh())[1] == []


@pytest.mark.parametrize("case", [*cases(HERE / "right.yaml")], ids=lambda case: case.name)
def test_nothing_is_found_in_what_is_right(case: Case) -> None:
    objects, _, problems = linked(case)
    assert objects
    assert problems == []


def test_the_shops_chart_is_right() -> None:
    rendered = render(ROOT / "charts" / "shop", "shop", "shop")
    objects, problems = parse(rendered.text, "shop", "shop")
    assert len(objects) > 50
    assert [*rendered.problems, *problems, *link(objects)[1]] == []


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.name)
def test_what_istiod_translates_has_no_error(path: Path) -> None:
    objects, problems = parse(path.read_text(), path.name)
    errors = {p.code for p in (*problems, *link(objects)[1]) if p.severity is Severity.ERROR}
    assert errors == WRONG.get(path.name, set())
