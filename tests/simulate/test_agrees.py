"""On a fixed set of random meshes and requests simulate says what a real Envoy does, and the same of istiod's resources as of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.ca.authority import Authority
from tests.parity import golden
from tests.simulate.compare import compare
from tests.simulate.translations import disagreements

ORACLE = golden.oracle()


@pytest.mark.envoy
@pytest.mark.parametrize("seed", ["fixed/3", "fixed/5", "fixed/7", "fixed/8"])
def test_simulate_says_what_an_envoy_does(seed: str, tmp_path: Path) -> None:
    found = compare(seed, 25, Authority.open(tmp_path / "ca"), tmp_path)
    assert found.pairs >= 10, "a seed of which there is something to say"
    assert found.disagreements == (), "\n".join(map(str, found.disagreements))


@pytest.mark.oracle
@pytest.mark.skipif(
    ORACLE is None, reason="istiod's own code is not here: no `oracle` on PATH, and ORACLE is not set"
)
@pytest.mark.parametrize("seed", ["fixed/1", "fixed/2", "fixed/3"])
def test_simulate_says_the_same_of_istiods_resources(seed: str) -> None:
    assert ORACLE is not None
    assert disagreements(ORACLE, seed, 50) == []
