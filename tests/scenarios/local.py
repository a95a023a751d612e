"""The shop by `mesh up`, in a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mesh.ca.certificate import Certificate
from mesh.ca.keep import Root, load
from tests.scenarios.engine import NAMESPACE, Engine, Place, visit

ROOT = Path(__file__).resolve().parents[2]
MESH = Path(sys.executable).with_name("mesh")
STRANGER = Path(__file__).with_name("stranger.py")
NOWHERE = ("127.0.0.1:1", "")


def mesh(folder: Path, *arguments: str) -> str:
    """Run the command there. Raises AssertionError with what it said when it fails."""
    done = subprocess.run([MESH, *arguments], cwd=folder, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, f"mesh {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def project(folder: Path) -> Path:
    """A folder with the repository's mesh.yaml and what it names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("charts", "services", "mesh.yaml"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def with_short_certificates(folder: Path) -> Path:
    """The same with certificates that live for 10 s, so that everything that is done is done while they are replaced;
    and with the operator's pod."""
    project(folder)
    settings = yaml.safe_load((ROOT / "mesh.yaml").read_text())
    settings["certificates"] = {"lifetime": "10s"}
    settings["releases"][0]["set"]["operator"] = {"enabled": True}
    (folder / "mesh.yaml").unlink()
    (folder / "mesh.yaml").write_text(yaml.safe_dump(settings))
    return folder


@dataclass
class Local(Engine):
    """Calls leave from the loopback listeners of the workload's own sidecar."""

    folder: Path = field(default_factory=Path)
    name = "local"

    def _open(self, workload: str) -> Place:
        command = [sys.executable, "-m", "tests.scenarios.client"]
        return Place(command, lambda service: self._where(workload, service))

    def _where(self, workload: str, service: str) -> tuple[str, str]:
        outbound = self._allocated(workload)["outbound"]
        at = outbound.get(f"{service}.{NAMESPACE}.svc.cluster.local:50051")
        return (f"127.0.0.1:{at}", "") if at else NOWHERE  # as where no route leads: UNAVAILABLE

    def ports(self, workload: str) -> dict[str, Any]:
        """The loopback ports of a workload's first pod."""
        return self._allocated(workload)

    def _allocated(self, workload: str) -> dict[str, Any]:
        items = [pod for app in (workload, workload.partition("-")[0]) for pod in self.pods(app)]
        pod = next(pod for pod in items if pod["metadata"]["name"].startswith(workload))
        found: dict[str, Any] = json.loads(pod["metadata"]["annotations"]["meshwright.dev/ports"])
        return found

    def direct(self, app: str, port: int) -> str:
        return f"127.0.0.1:{self.ports(app)['application'][str(port)]}"

    def outside(self, service: str) -> tuple[str, str]:
        return self._where("ingress", service)

    def gateway(self) -> str:
        return f"127.0.0.1:{self._allocated('ingress')['gateway']['8080']}"

    def certificates(self) -> set[str]:
        pods = self._core.list_namespaced_pod(NAMESPACE, _preload_content=False)
        items = json.loads(pods.data)["items"]
        return {f"{pod['metadata']['name']} {pod['status']['proxy']['certificateExpires']}" for pod in items}

    def root(self) -> Root:
        found = load(self.folder / ".mesh" / "ca")
        assert found
        return found

    def knock(self, app: str, certificate: Certificate | None) -> str:
        port = self._allocated(app)["inbound"]["50051"]
        command = [sys.executable, str(STRANGER)]
        order = visit("127.0.0.1", port, certificate)
        return subprocess.run(command, input=order, capture_output=True, text=True, timeout=30).stdout.strip()

    def accepted(self, kind: str, name: str, before: str) -> bool:
        found = self.get(kind, name)
        status = found.get("status", {})
        if status.get("observedGeneration") != found["metadata"]["generation"]:
            return False
        return any(c["type"] == "Accepted" and c["status"] == "True" for c in status["conditions"])
