"""The shop that is installed on the cluster of the kubeconfig. Callers are the pods themselves; the ingress is reached by port-forward."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mesh.ca.certificate import Certificate
from mesh.ca.keep import Root
from tests.scenarios.engine import NAMESPACE, Engine, Object, Place, visit

PORT = 50051
STRANGER = Path(__file__).with_name("stranger.py")
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
    _forwards: dict[str, tuple[subprocess.Popen[str], str]] = field(default_factory=dict)

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
        if "ingress" not in self._forwards:
            self._forward("ingress", "service/ingress", 80)
        return self._forwards["ingress"][1]

    def direct(self, app: str, port: int) -> str:
        """Forwarded anew each time: its pod may be another."""
        self._unforward(app)
        return self._forward(app, f"pod/{self.pods(app)[0]['metadata']['name']}", port)

    def _forward(self, name: str, what: str, port: int) -> str:
        command = ["kubectl", "-n", NAMESPACE, "port-forward", "--address", "127.0.0.1"]
        process = subprocess.Popen([*command, what, f":{port}"], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        line = process.stdout.readline()  # Forwarding from 127.0.0.1:PORT -> 8080
        assert line, f"kubectl cannot forward {what}"
        self._forwards[name] = (process, line.split()[2])
        return self._forwards[name][1]

    def _unforward(self, name: str) -> None:
        if forward := self._forwards.pop(name, None):
            forward[0].terminate()
            forward[0].communicate()

    def close(self) -> None:
        super().close()
        for name in list(self._forwards):
            self._unforward(name)

    def outside(self, service: str) -> tuple[str, str]:
        return self._forwarded(), f"{service}.shop.example"

    def gateway(self) -> str:
        return self._forwarded()

    def root(self) -> Root:
        """That of istiod, which signs with a root of its own unless it was given another."""
        secret = self._core.read_namespaced_secret("istio-ca-secret", "istio-system")
        found = {name: base64.b64decode(data) for name, data in secret.data.items()}
        key: Any = load_pem_private_key(found["ca-key.pem"], password=None)  # RSA, where ours is elliptic
        return Root(x509.load_pem_x509_certificate(found["ca-cert.pem"]), key)

    def knock(self, app: str, certificate: Certificate | None) -> str:
        address = self.pods(app)[0]["status"]["podIP"]
        command = ["kubectl", "-n", NAMESPACE, "exec", "-i", self._outsider(), "--", "python", "-c"]
        done = subprocess.run(
            [*command, STRANGER.read_text()],
            input=visit(address, PORT, certificate),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()

    def _outsider(self) -> str:
        """A pod without a sidecar. NetworkPolicies take it for one of orders; its certificate is what matters."""
        name = "outsider"
        if not self.pods(name):
            labels = f"app={name},meshwright.dev/account=orders,sidecar.istio.io/inject=false"
            image = self.pods("orders")[0]["spec"]["containers"][0]["image"]
            run = ["run", name, f"--image={image}", "--image-pull-policy=IfNotPresent", f"--labels={labels}"]
            kubectl(*run, "--command", "--", "sleep", "600")
            self._undo.append((None, lambda: kubectl("delete", "pod", name, "--now") and None))
            kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
        return name

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
