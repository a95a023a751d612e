"""Every mistake is found: on its line, with its code and severity, and nothing else is."""

from __future__ import annotations

import pytest

from tests.pure.link.cases import HERE, Case, cases, linked

ALL = [case for path in sorted((HERE / "mistakes").glob("*.yaml")) for case in cases(path)]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_mistake_is_found_on_its_line(case: Case) -> None:
    found = linked(case)[2]
    assert sorted((p.place.line, p.code, str(p.severity)) for p in found) == sorted(
        said[:3] for said in case.said
    ), found
    assert all(any(said[3] in p.message for said in case.said) for p in found), found
    assert {p.place.file for p in found} <= {case.file}
    assert all(p.fix for p in found)
