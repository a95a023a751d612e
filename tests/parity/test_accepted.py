"""A real Envoy accepts everything that we make of the goldens' manifests, in both placements."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parity import golden, meshes
from tests.parity.bootstrap import bootstrap

ENVOY = Path(sys.executable).with_name("envoy")


@pytest.mark.envoy
@pytest.mark.parametrize("local", [False, True], ids=["cluster", "local"])
def test_envoy_accepts_all_resources_of_the_goldens(local: bool, tmp_path: Path) -> None:
    texts = [golden.source(feature).read_text() for feature in golden.features()]
    found = [each for text in texts for each in meshes.snapshots(meshes.read(text), local).values()]
    config = tmp_path / "envoy.json"
    config.write_text(bootstrap(found))
    command = [str(ENVOY), "--mode", "validate", "-c", str(config), "-l", "error"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
