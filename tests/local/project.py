"""A mesh.yaml of one small workload in a folder of its own, and what its processes leave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import config
from kubernetes.client import ApiClient

from mesh.local import process

HERE = Path(__file__).parent
MESH = Path(sys.executable).with_name("mesh")


@dataclass(frozen=True)
class Done:
    code: int
    text: str


@dataclass(frozen=True)
class Project:
    """``folder`` has mesh.yaml, the chart and the program that it runs."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, habit: str = "", **values: object) -> Project:
        """``habit``: what web.py is to do; ``values``: of the chart."""
        folder.mkdir(parents=True)
        shutil.copytree(HERE / "chart", folder / "chart")
        shutil.copy(HERE / "web.py", folder / "web.py")
        project = cls(folder)
        project.write(
            {
                "releases": [
                    {"name": "small", "namespace": "default", "chart": "chart", "set": dict(values)}
                ],
                "observatory": {"enabled": False},  # a process less to start; test_up has one
                "images": {"small/web": {"run": ["python", "web.py", *([habit] if habit else [])]}},
            }
        )
        return project

    @property
    def file(self) -> Path:
        return self.folder / "mesh.yaml"

    def write(self, settings: dict[str, Any]) -> None:
        self.file.write_text(yaml.safe_dump(settings, sort_keys=False))

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load(self.file.read_text())
        return found

    def set(self, **values: object) -> None:
        """Change the chart's values in mesh.yaml."""
        settings = self.read()
        settings["releases"][0]["set"].update(values)
        self.write(settings)

    def mesh(self, *arguments: str, timeout: float = 60) -> Done:
        """Run the command here and wait for it."""
        done = subprocess.run(
            [MESH, *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        return Done(done.returncode, done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command here and return at once."""
        return subprocess.Popen(
            [MESH, *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def status(self) -> dict[str, Any]:
        done = self.mesh("status", "-o", "json")
        assert done.code == 0, done.text
        found: dict[str, Any] = json.loads(done.text)
        return found

    def client(self) -> ApiClient:
        """Kubernetes' own client, by the mesh's kubeconfig."""
        load: Any = config.new_client_from_config
        made: ApiClient = load(config_file=str(self.folder / ".mesh" / "kubeconfig"))
        return made

    def progress(self) -> dict[str, Any]:
        """What the control plane says of itself; nothing before it says anything."""
        file = self.folder / ".mesh" / "run" / "progress.json"
        found: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        return found

    def processes(self) -> list[int]:
        """All that run for this mesh: what has its folder as working directory, in its arguments or in its environment."""
        mark = str(self.folder).encode()
        found = []
        for each in Path("/proc").iterdir():
            if not each.name.isdecimal() or int(each.name) == os.getpid():
                continue
            try:
                told = (each / "cmdline").read_bytes() + (each / "environ").read_bytes()
                where = str((each / "cwd").readlink()).encode()
            except OSError:
                continue
            if mark in told or mark in where:
                found.append(int(each.name))
        return found

    def control_plane(self) -> int:
        found = process.find(self.folder / ".mesh" / "run" / "control-plane.pid")
        assert found, "no control plane runs"
        return found.pid

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


def until(holds: Callable[[], object], what: str, patience: float = 30.0) -> None:
    """Wait until something holds. Raises AssertionError with ``what`` when it does not in time."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, f"not within {patience:g} s: {what}"
        time.sleep(0.2)
