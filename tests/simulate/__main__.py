"""`make simulate`: what simulate says of N requests to random meshes, against what a real Envoy does, and, where istiod's own code is here, of as
many requests by istiod's resources against ours. Exits with 1 when anything disagrees."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from mesh.ca.authority import Authority
from tests.parity import golden
from tests.simulate.compare import compare
from tests.simulate.translations import disagreements

_EACH = 25


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("-n", type=int, default=500, help="how many requests")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", type=int, help="only the mesh of this number")
    given = parser.parse_args()
    pairs = skipped = number = 0
    oracle = golden.oracle()
    found: list[object] = []
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority.open(Path(folder) / "ca")
        while pairs < given.n:
            seed = f"{given.seed}/{number if given.only is None else given.only}"
            done = compare(seed, _EACH, authority, Path(folder))
            for each in done.disagreements:
                print(each, flush=True)
            found += done.disagreements
            differs = disagreements(oracle, seed, _EACH) if oracle else []
            for text in differs:
                print(f"{seed}: {text}", flush=True)
            found += differs
            pairs, skipped, number = pairs + done.pairs, skipped + done.skipped, number + 1
            if given.only is not None:
                break
    of_istiod = f", {number * _EACH} of istiod's resources" if oracle else ""
    print(f"{number} meshes, {pairs} requests ({skipped} left out){of_istiod}: {len(found)} disagree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
