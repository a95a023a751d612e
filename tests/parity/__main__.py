"""`make parity`: random meshes, translated by us and by istiod; what differs is shrunk and printed.

Each mesh is one seed, ``SEED/I``. Exits with 1 when anything differs. Needs the command `oracle` (see golden.oracle).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import yaml

from tests.parity import golden, meshes
from tests.parity.compare import differences
from tests.parity.random_meshes.mesh import random_mesh
from tests.parity.shrink import Manifests, shrink

_MOST_LINES = 12


def main() -> int:
    parser = argparse.ArgumentParser(prog="make parity", description=__doc__)
    parser.add_argument("-n", type=int, default=200, help="how many meshes")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", type=int, help="only the mesh of this number")
    parser.add_argument("--shrink", type=int, default=3, help="how many of the differences are shrunk")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    oracle = golden.oracle()
    if oracle is None:
        print("parity: there is no oracle on PATH, nor in ORACLE", file=sys.stderr)
        return 1
    numbers = [given.only] if given.only is not None else range(given.n)
    seeds = [f"{given.seed}/{i}" for i in numbers]
    with ThreadPoolExecutor(given.jobs) as pool:
        found = dict(
            zip(seeds, pool.map(lambda seed: compare(oracle, random_mesh(seed)), seeds), strict=True)
        )
    kinds: dict[str, list[str]] = {}
    for seed, lines in found.items():
        for kind in dict.fromkeys(signature(line) for line in lines):
            kinds.setdefault(kind, []).append(seed)
    _report(oracle, found, kinds, given.shrink)
    return 1 if kinds else 0


def compare(oracle: str, manifests: Manifests) -> list[str]:
    """The differences, one a line; what the oracle says when it refuses the manifests."""
    try:
        ours = meshes.dump_of(manifests)
    except Exception as error:
        return [f"failed: {error!r}"]
    if not all(each["endpoints"] for each in ours.values()):
        return []  # a proxy that is sent no endpoints at all: the oracle would wait for some until it gives up
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.yaml"
        path.write_text(yaml.safe_dump_all(manifests, sort_keys=False))
        try:
            found = differences(ours, golden.dump(oracle, path))
            # On a busy machine the oracle is sometimes asked before it has read all endpoints: what differs, differs twice.
            again = set(differences(ours, golden.dump(oracle, path))) if found else set()
            return [line for line in found if line in again]
        except subprocess.CalledProcessError as error:
            return [f"refused: {_reason(error.stderr)}"]
        except subprocess.TimeoutExpired:
            return []  # a machine that is busy with other things says nothing of the mesh


def _reason(stderr: str) -> str:
    """What the oracle says, without the manifests that it repeats."""
    said = [line.strip() for line in stderr.splitlines() if line.startswith(("oracle:", "\t*"))]
    return " ".join(said)[:400]


def signature(line: str) -> str:
    """What kind of difference a line is: its path without names and numbers."""
    path, _, rest = line.partition(": ")
    parts = [re.sub(r"\d+", "N", part) for part in path.split("/")]
    if len(parts) > 1:
        parts[1] = re.sub(r"[\w*-]+(\.[\w*-]+)+", "HOST", parts[1])
        parts[1] = re.sub(r"\|v[\dN]\|", "|SUBSET|", parts[1])
    nothing = "nothing" if rest.startswith("nothing for") else "extra" if " for nothing" in rest else ""
    return f"{'/'.join(parts)} {nothing}".strip() if len(parts) > 1 else re.sub(r"\d+", "N", line[:100])


def _report(oracle: str, found: dict[str, list[str]], kinds: dict[str, list[str]], most: int) -> None:
    different = sum(map(bool, found.values()))
    print(f"{len(found)} meshes, {different} differ")
    for kind, seeds in sorted(kinds.items(), key=lambda each: -len(each[1])):
        print(f"{len(seeds):5} {kind}  (as in {seeds[0]})")
    for kind, seeds in sorted(kinds.items(), key=lambda each: -len(each[1]))[:most]:
        still = partial(_still, oracle, kind)
        smallest = shrink(random_mesh(seeds[0]), still)
        print(f"\n# {kind}\n# seed {seeds[0]}, shrunk:")
        print(yaml.safe_dump_all(smallest, sort_keys=False, default_flow_style=None, width=120))
        for line in compare(oracle, smallest)[:_MOST_LINES]:
            print(f"#   {line}")


def _still(oracle: str, kind: str, manifests: Manifests) -> bool:
    return any(signature(line) == kind for line in compare(oracle, manifests))


if __name__ == "__main__":
    sys.exit(main())
