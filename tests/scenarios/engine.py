"""What a scenario asks of an engine: calls from the place of a workload, and changes through the Kubernetes API.

The two engines are local.py and cluster.py; everything that a kubeconfig is enough for is here.
"""

from __future__ import annotations

import contextlib
import copy
import json
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client, config

from mesh.ca.certificate import Certificate
from mesh.ca.keep import Root
from tests.services.process import image_of

Object = dict[str, Any]
NAMESPACE = "shop"
PATIENCE = 60.0
CONFLICT = 409
_GROUPS = {
    "VirtualService": ("networking.istio.io", "virtualservices"),
    "DestinationRule": ("networking.istio.io", "destinationrules"),
    "Sidecar": ("networking.istio.io", "sidecars"),
    "AuthorizationPolicy": ("security.istio.io", "authorizationpolicies"),
    "RequestAuthentication": ("security.istio.io", "requestauthentications"),
    "NetworkPolicy": ("networking.k8s.io", "networkpolicies"),
}
#: Services in other languages, where these are installed: a mesh on this machine leaves the others out.
LEAVES = tuple(name for name in ("recommendations", "notifications") if not image_of(name).missing)
#: How the package of a service's contract follows from its name.
SERVICES = {
    name: f"shop.{name}.v1.{name.capitalize()}Service"
    for name in ("catalog", "inventory", "payments", "shipping", "orders", *LEAVES)
}


@dataclass(frozen=True)
class Answer:
    """What a call came to. ``headers``: initial and trailing metadata; ``seconds``: as the caller measured it."""

    code: str
    message: str
    response: Object
    headers: Mapping[str, str]
    seconds: float

    @property
    def ok(self) -> bool:
        return self.code == "OK"


@dataclass(frozen=True)
class Answers:
    """Those of many calls, in the order in which they came."""

    all: Sequence[Answer]

    def codes(self) -> Counter[str]:
        return Counter(a.code for a in self.all)

    def by(self, header: str) -> Counter[str]:
        return Counter(a.headers.get(header, "") for a in self.all)

    @property
    def failed(self) -> list[Answer]:
        return [a for a in self.all if not a.ok]


def visit(host: str, port: int, certificate: Certificate | None) -> str:
    """The order of a knock, for stranger.py."""
    chain = certificate.chain_pem.decode() if certificate else None
    key = certificate.key_pem.decode() if certificate else None
    return json.dumps({"host": host, "port": port, "certificate": chain, "key": key}) + "\n"


class Place:
    """A client beside a workload. One order at a time."""

    def __init__(self, command: Sequence[str], where: Callable[[str], tuple[str, str]]) -> None:
        self._where = where
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._read() == "ready"

    def close(self) -> None:
        """It ends when its input does, unless its pod has gone from under it."""
        try:
            self._process.communicate(timeout=5)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.communicate()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def call(
        self,
        service: str,
        method: str,
        request: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
    ) -> Answer:
        """One call of ``shop.SERVICE.v1.…Service/METHOD``; ``timeout`` in seconds."""
        return self.calls(1, service, method, request, headers, timeout).all[0]

    def calls(
        self,
        count: int,
        service: str,
        method: str,
        request: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        concurrency: int = 1,
    ) -> Answers:
        """``count`` calls over one connection, ``concurrency`` at a time."""
        order = self._order(service, method, request, headers, timeout)
        self._write({**order, "count": count, "concurrency": concurrency})
        return self._answers()

    @contextlib.contextmanager
    def load(
        self,
        service: str,
        method: str,
        request: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        concurrency: int = 4,
        seconds: float = 60.0,
        pause: float = 0.05,
    ) -> Iterator[list[Answer]]:
        """Calls while the context lasts, ``seconds`` at most, each caller with a pause after each; the list is filled when it ends."""
        answers: list[Answer] = []
        order = self._order(service, method, request, headers, 10.0)
        self._write({**order, "seconds": seconds, "pause": pause, "concurrency": concurrency})
        try:
            yield answers
        finally:
            self._write({"stop": True})
            answers += self._answers().all

    def _order(
        self,
        service: str,
        method: str,
        request: Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
        timeout: float,
    ) -> Object:
        target, authority = self._where(service)
        path = method if "/" in method else f"{SERVICES[service]}/{method}"
        return {
            "target": target,
            "authority": authority,
            "method": path,
            "request": dict(request or {}),
            "headers": dict(headers or {}),
            "timeout": timeout,
            "concurrency": 1,
        }

    def _write(self, order: Mapping[str, object]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _read(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            _, said = self._process.communicate(timeout=10)
            raise RuntimeError(f"the client ended: {said}")
        return line

    def _answers(self) -> Answers:
        return Answers([Answer(**each) for each in json.loads(self._read())])


@dataclass
class Engine(ABC):
    """A running shop. Whatever a scenario changes through it is put back by ``restore``."""

    kubeconfig: Path
    _places: dict[str, Place] = field(default_factory=dict)
    _undo: list[tuple[object, Callable[[], None]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    name = ""

    @abstractmethod
    def _open(self, workload: str) -> Place: ...

    @abstractmethod
    def outside(self, service: str) -> tuple[str, str]:
        """The address of the ingress and the authority by which an outside caller reaches a service there."""

    @abstractmethod
    def direct(self, app: str, port: int) -> str:
        """The address of a port of an app's first pod past its sidecar, for whoever has the cluster's keys."""

    @abstractmethod
    def gateway(self) -> str:
        """The address of the ingress itself, where the Host header says which service is meant."""

    def certificates(self) -> set[str]:
        """Something that tells each workload's present certificate from the one before, where the engine says it."""
        raise NotImplementedError(f"{self.name} does not tell")

    @abstractmethod
    def root(self) -> Root:
        """What signs the mesh's certificates."""

    @abstractmethod
    def knock(self, app: str, certificate: Certificate | None) -> str:
        """What somebody outside the mesh gets at the inbound port of an app's pod: ``answered`` or ``refused``."""

    def revision(self) -> str:
        """What the control plane calls its present state."""
        return ""

    @abstractmethod
    def accepted(self, kind: str, name: str, before: str) -> bool:
        """Whether every proxy that an object concerns has accepted its state, which is newer than the revision ``before``."""

    def at(self, workload: str) -> Place:
        """The place of a workload: a Deployment's name, or ``ingress`` for an outside caller."""
        with self._lock:
            if workload in self._places and not self._places[workload].alive:
                self.moved(workload)
            if workload not in self._places:
                self._places[workload] = self._open(workload)
            return self._places[workload]

    def moved(self, workload: str) -> None:
        """Forget the place of a workload whose pod or scope is another now."""
        if place := self._places.pop(workload, None):
            place.close()

    def close(self) -> None:
        for workload in list(self._places):
            self.moved(workload)

    def get(self, kind: str, name: str) -> Object:
        group, plural = _GROUPS[kind]
        found: Object = self._custom.get_namespaced_custom_object(group, "v1", NAMESPACE, plural, name)
        return found

    def list(self, kind: str) -> Sequence[Object]:
        group, plural = _GROUPS[kind]
        items: Sequence[Object] = self._custom.list_namespaced_custom_object(group, "v1", NAMESPACE, plural)[
            "items"
        ]
        return items

    def edit(self, kind: str, name: str, change: Callable[[Object], None]) -> None:
        """Change an object's spec in place until the scenario ends; returns when the proxies have accepted it."""
        revision = self.revision()
        self._edit(kind, name, change)
        self.until(lambda: self.accepted(kind, name, revision), f"{kind} {name} is accepted")

    def _edit(self, kind: str, name: str, change: Callable[[Object], None]) -> None:
        before = self.get(kind, name)
        wanted = copy.deepcopy(before["spec"])
        change(wanted)
        if not any(undone == (kind, name) for undone, _ in self._undo):
            self._undo.append(((kind, name), lambda: self._replace(kind, name, before["spec"])))
        self._replace(kind, name, wanted)

    def remove(self, kind: str, name: str) -> None:
        """Delete an object until the scenario ends."""
        before = self.get(kind, name)
        group, plural = _GROUPS[kind]
        self._undo.append((None, lambda: self._create(kind, before)))
        self._custom.delete_namespaced_custom_object(group, "v1", NAMESPACE, plural, name)

    def scale(self, deployment: str, replicas: int) -> None:
        """Set a Deployment's replicas until the scenario ends, and wait until they are ready."""
        before = self._apps.read_namespaced_deployment(deployment, NAMESPACE).spec.replicas
        self._undo.append((None, lambda: self._scale(deployment, before)))
        self._scale(deployment, replicas)

    def restore(self) -> None:
        """Put back everything that was changed, last first."""
        while self._undo:
            _, undo = self._undo.pop()
            undo()

    def pods(self, app: str) -> Sequence[Object]:
        """The pods of an app that are not being deleted, as plain data."""
        found = self._core.list_namespaced_pod(NAMESPACE, label_selector=f"app={app}", _preload_content=False)
        items = json.loads(found.data)["items"]
        return [pod for pod in items if not pod["metadata"].get("deletionTimestamp")]

    def until(self, holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Wait until something holds. Raises AssertionError with ``what`` after ``patience`` seconds."""
        end = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < end, f"not within {patience:g} s: {what}"
            time.sleep(0.05)

    def _replace(self, kind: str, name: str, spec: Object) -> None:
        """Again while somebody else writes between reading and writing."""
        group, plural = _GROUPS[kind]
        while True:
            changed = {**self.get(kind, name), "spec": spec}
            try:
                self._custom.replace_namespaced_custom_object(group, "v1", NAMESPACE, plural, name, changed)
            except client.ApiException as error:
                if error.status != CONFLICT:
                    raise
            else:
                return

    def _create(self, kind: str, before: Object) -> None:
        group, plural = _GROUPS[kind]
        kept = ("name", "namespace", "labels", "annotations")
        metadata = {key: before["metadata"][key] for key in kept if key in before["metadata"]}
        body = {**{k: v for k, v in before.items() if k != "status"}, "metadata": metadata}
        self._custom.create_namespaced_custom_object(group, "v1", NAMESPACE, plural, body)

    def _scale(self, deployment: str, replicas: int) -> None:
        self._apps.patch_namespaced_deployment_scale(deployment, NAMESPACE, {"spec": {"replicas": replicas}})

        def settled() -> bool:
            status = self._apps.read_namespaced_deployment(deployment, NAMESPACE).status
            return (status.ready_replicas or 0) == (status.replicas or 0) == replicas

        self.until(settled, f"{deployment} has {replicas} ready replicas")

    def __post_init__(self) -> None:
        load: Any = config.new_client_from_config
        api = load(config_file=str(self.kubeconfig))
        self._core, self._apps = client.CoreV1Api(api), client.AppsV1Api(api)
        self._custom = client.CustomObjectsApi(api)
