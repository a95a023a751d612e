"""The shop that is installed on the cluster of the kubeconfig. Callers are the pods themselves; the ingress is reached by port-forward."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.engine import NAMESPACE, Engine, Place

CLIENT = Path(__file__).with_name("client.py")


def kubectl(*arguments: str) -> str:
    """Run it in the shop's namespace. Raises AssertionError with what it said when it fails."""
    done = subprocess.run(
        ["kubectl", "-n", NAMESPACE, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass
class Cluster(Engine):
    """Istio's own sidecars on Kubernetes."""

    name = "cluster"
    _forward: subprocess.Popen[str] | None = field(default=None)
    _ingress: str = ""

    def _open(self, workload: str) -> Place:
        if workload == "ingress":
            target = self._forwarded()
            command = [sys.executable, "-m", "tests.scenarios.client"]
            return Place(command, lambda service: (target, f"{service}.shop.example"))
        container = workload.partition("-")[0]
        pod = next(p for p in self.pods(container) if p["metadata"]["name"].startswith(f"{workload}-"))
        command = ["kubectl", "-n", NAMESPACE, "exec", "-i", pod["metadata"]["name"], "-c", container, "--"]
        return Place(
            [*command, "python", "-u", "-c", CLIENT.read_text()],
            lambda service: (f"{service}.{NAMESPACE}.svc.cluster.local:50051", ""),
        )

    def _forwarded(self) -> str:
        if self._forward is None:
            command = ["kubectl", "-n", NAMESPACE, "port-forward", "--address", "127.0.0.1"]
            self._forward = subprocess.Popen(
                [*command, "service/ingress", ":80"], stdout=subprocess.PIPE, text=True
            )
            assert self._forward.stdout
            line = self._forward.stdout.readline()  # Forwarding from 127.0.0.1:PORT -> 8080
            self._ingress = line.split()[2]
        return self._ingress

    def close(self) -> None:
        super().close()
        if self._forward:
            self._forward.terminate()
            self._forward.communicate()
            self._forward = None

    def accepted(self, kind: str, name: str) -> bool:
        """istiod writes no acceptance; `istioctl proxy-status` compares what it sent with what each proxy acknowledged."""
        done = subprocess.run(
            ["istioctl", "proxy-status", "-o", "json"], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        with contextlib.suppress(json.JSONDecodeError):
            print(done.stdout[:300])
        return "STALE" not in done.stdout
