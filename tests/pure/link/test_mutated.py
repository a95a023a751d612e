"""Whatever is written into a document, what comes back is objects and problems, and an Envoy configuration of the rest; never a crash."""

from __future__ import annotations

import copy
import json
import os
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesh.compile import Compiler
from mesh.envoy.patching import linked as link
from mesh.model.mesh import CLUSTER
from mesh.resources.object import from_json, parse
from tests.pure.link.cases import HERE, mesh

#: A longer run by hand: `MUTANTS=100000 pytest -n 0 --timeout 0 tests/pure/link/test_mutated.py`.
MUTANTS = int(os.environ.get("MUTANTS", "300"))
FILES = [HERE / "right.yaml", *sorted((HERE / "mistakes").glob("*.yaml"))]
SEEDS = [each.raw for path in FILES for each in parse(path.read_text(), path.name)[0]]
WORDS = [
    "",
    "*",
    "*.shop",
    "catalog",
    "mesh",
    "v1",
    "STRICT",
    "0s",
    "1s",
    "-1",
    "10.0.0.1/8",
    "{**}",
    "(",
    "a/b/c",
]
#: Characters that JSON and YAML escape alike.
TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
Place = tuple[Any, str | int]


def _places(data: Any) -> list[Place]:
    """(container, key) of everything inside."""
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, value in inside for place in ((data, key), *_places(value))]


def _inner(data: dict[str, Any]) -> list[Place]:
    """Places below the object's own fields, so that most mutants are still of a kind that somebody reads."""
    return [place for place in _places(data) if place[0] is not data] or _places(data)


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """One of the documents of the tables with up to three of its fields replaced, removed, renamed, doubled or moved."""
    data = copy.deepcopy(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(_inner(data)))
        match draw(st.sampled_from(["replace", "remove", "rename", "wrap", "copy"])):
            case "replace":
                container[key] = draw(VALUES)
            case "remove":
                del container[key]
            case "rename" if isinstance(container, dict):
                container[draw(TEXT)] = container.pop(key)
            case "copy":
                container[key] = copy.deepcopy(
                    draw(st.sampled_from([c[k] for c, k in _places(data)] or [None]))
                )
            case _:
                container[key] = [container[key]]
    return data


@settings(max_examples=MUTANTS, deadline=None)
@given(mutants())
def test_a_mutant_crashes_nothing(data: dict[str, Any]) -> None:
    made, problems = from_json(data, "over the API")
    linked, found = link([*mesh(), *([made] if made else [])])
    compiler = Compiler(linked, CLUSTER)
    for workload in linked.workloads:
        found += compiler.compile(workload)[1]
    assert all(str(problem) for problem in (*problems, *found))


@settings(max_examples=100, deadline=None)
@given(mutants())
def test_a_mutant_means_the_same_in_a_file(data: dict[str, Any]) -> None:
    text = json.dumps(data, indent=1)
    objects, problems = parse(text, "a.yaml")
    made, told = from_json(data, "a.yaml")
    assume(not any(problem.code == "MW0001" for problem in problems))  # a character that YAML does not have
    assert [each.raw for each in objects] == ([made.raw] if made else [])
    assert sorted(p.message for p in problems) == sorted(p.message for p in told)
    assert all(p.place.line > 0 for p in problems)
