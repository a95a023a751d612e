"""The shop, up in a folder of its own while a section measures it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.bench.report import Row
from tests.scenarios.local import MESH, Local, mesh, project


@dataclass(frozen=True)
class Shop:
    """``seconds`` from `mesh up --detach` until it returned."""

    folder: Path
    seconds: float

    @property
    def kubeconfig(self) -> Path:
        return self.folder / ".mesh" / "kubeconfig"

    def ports(self, workload: str) -> dict[str, Any]:
        """The loopback ports of a workload's first pod."""
        found = json.loads(mesh(self.folder, "status", "-o", "json"))
        pod: dict[str, Any] = next(w for w in found["workloads"] if w["name"] == workload)["pods"][0]
        ports: dict[str, Any] = pod["ports"]
        return ports

    def engine(self) -> Local:
        return Local(self.kubeconfig, folder=self.folder)


@contextmanager
def running(observed: bool = True) -> Iterator[Shop]:
    """Stopped and removed at the end, also when interrupted; ``observed``: with the observatory, and every request traced."""
    with TemporaryDirectory(prefix="mesh-bench-") as name:
        folder = project(Path(name) / "p")
        settings = yaml.safe_load((folder / "mesh.yaml").read_text())
        (folder / "mesh.yaml").unlink()  # a link to the repository's
        (folder / "mesh.yaml").write_text(yaml.safe_dump({**settings, "observatory": {"enabled": observed}}))
        try:
            started = time.perf_counter()
            mesh(folder, "up", "--detach")
            yield Shop(folder, time.perf_counter() - started)
        finally:
            mesh(folder, "down")


def start(shop: Shop) -> list[Row]:
    """How long people wait."""
    helps = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([MESH, "--help"], stdout=subprocess.DEVNULL, check=True)
        helps.append((time.perf_counter() - started) * 1000)
    return [
        Row("start", "mesh up --detach", round(shop.seconds, 1), "s", "10"),
        Row("start", "mesh --help, fastest of 5", round(min(helps)), "ms", "150"),
    ]
