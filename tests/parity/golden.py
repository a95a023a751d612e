"""Reading and writing the goldens, and asking the oracle for new ones. Used by the tests here and by scripts/goldens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SECONDS = 60

#: proxy id -> "clusters", "endpoints", "listeners", "routes" -> resources
Dump = dict[str, dict[str, list[dict[str, Any]]]]


def features() -> list[str]:
    return sorted(path.name.removesuffix(".in.yaml") for path in FOLDER.glob("*.in.yaml"))


def source(feature: str) -> Path:
    return FOLDER / f"{feature}.in.yaml"


def read(feature: str) -> Dump:
    found: Dump = json.loads((FOLDER / f"{feature}.out.json").read_text())
    return found


def write(feature: str, dump: Dump) -> bool:
    """Whether anything changed."""
    path = FOLDER / f"{feature}.out.json"
    text = json.dumps(ordered(dump), indent=1, sort_keys=True) + "\n"
    changed = not path.exists() or path.read_text() != text
    path.write_text(text)
    return changed


def oracle() -> str | None:
    """istiod's own code as a command: in ORACLE, else on PATH."""
    return os.environ.get("ORACLE") or shutil.which("oracle")


def dump(command: str, manifests: Path) -> Dump:
    """What istiod sends each proxy of the manifests. Raises CalledProcessError when it refuses them."""
    done = subprocess.run(
        [command, "dump", str(manifests)], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    found: Dump = json.loads(done.stdout)
    return found


def ordered(dump: Dump) -> Dump:
    """With resources by name: in which order a proxy learns of them says nothing, and istiod's is random."""
    return {
        proxy: {kind: sorted(found, key=name) for kind, found in kinds.items()}
        for proxy, kinds in dump.items()
    }


def name(resource: dict[str, Any]) -> str:
    return str(resource.get("name") or resource.get("clusterName"))
