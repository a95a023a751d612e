"""The shop that is installed on the cluster of the kubeconfig. Callers are the pods themselves; the ingress is reached by port-forward."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.engine import NAMESPACE, Engine, Object, Place

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
            return Place([sys.executable, "-m", "tests.scenarios.client"], self.outside)
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

    def outside(self, service: str) -> tuple[str, str]:
        return self._forwarded(), f"{service}.shop.example"

    def revision(self) -> str:
        return str(self._proxy_status()["versionInfo"])

    def accepted(self, kind: str, name: str, before: str) -> bool:
        """istiod writes no acceptance on objects; it says what each proxy has acknowledged of its present push."""
        status = self._proxy_status()
        states = [
            each["configStatus"] for proxy in status["resources"] for each in proxy["genericXdsConfigs"]
        ]
        return status["versionInfo"] != before and set(states) == {"SYNCED"}

    def _proxy_status(self) -> Object:
        command = ["istioctl", "proxy-status", "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        text = done.stdout[
            done.stdout.index("\n{") if done.stdout[0] != "{" else 0 :
        ]  # it may complain first
        found: Object = json.loads(text)
        return found
