"""What `mesh xds` prints is what istiod sends: for each feature against its golden, and the golden against istiod itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity import golden, meshes
from tests.parity.compare import accepted_differences, differences

ORACLE = golden.oracle()
SHOP = Path(__file__).parents[2] / "charts" / "shop"
needs_oracle = pytest.mark.skipif(
    ORACLE is None, reason="istiod's own code is not here: no `oracle` on PATH, and ORACLE is not set"
)


@pytest.mark.parametrize("feature", golden.features())
def test_a_feature_is_translated_as_its_golden_says(feature: str) -> None:
    assert differences(meshes.dump(golden.source(feature)), golden.read(feature)) == []


@pytest.mark.oracle
@needs_oracle
@pytest.mark.parametrize("feature", golden.features())
def test_a_golden_is_still_what_istiod_says(feature: str) -> None:
    assert ORACLE is not None
    assert differences(golden.dump(ORACLE, golden.source(feature)), golden.read(feature)) == []


@pytest.mark.oracle
@needs_oracle
def test_the_rendered_shop_is_translated_as_istiod_translates_it(tmp_path: Path) -> None:
    assert ORACLE is not None
    manifests = _rendered(tmp_path)
    assert differences(meshes.dump(manifests), golden.dump(ORACLE, manifests)) == []


def test_every_accepted_difference_says_why() -> None:
    assert all(each["path"] and each["reason"] for each in accepted_differences())


def _rendered(folder: Path) -> Path:
    from mesh.local.render import render

    rendered = render(SHOP, "shop", "shop")
    assert not rendered.problems, rendered.problems
    path = folder / "shop.yaml"
    path.write_text(rendered.text)
    return path
