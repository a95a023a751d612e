"""On a fixed set of random meshes and requests simulate says what a real Envoy does, and the same of istiod's resources as of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.ca.authority import Authority
from tests.parity import golden
from tests.simulate.compare import compare
from tests.simulate.translations import disagreements

ORACLE = golden.oracle()
MESHES = 5


@pytest.mark.envoy
def test_simulate_says_what_an_envoy_does(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path / "ca")
    pairs = 0
    for number in range(MESHES):
        found = compare(f"fixed/{number}", 20, authority, tmp_path)
        assert found.disagreements == (), "\n".join(map(str, found.disagreements))
        pairs += found.pairs
    assert pairs > MESHES, "meshes of which there is something to say"


@pytest.mark.oracle
@pytest.mark.skipif(
    ORACLE is None, reason="istiod's own code is not here: no `oracle` on PATH, and ORACLE is not set"
)
@pytest.mark.parametrize("seed", ["fixed/1", "fixed/2", "fixed/3"])
def test_simulate_says_the_same_of_istiods_resources(seed: str) -> None:
    assert ORACLE is not None
    assert disagreements(ORACLE, seed, 50) == []
