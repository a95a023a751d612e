"""Namespaces, Services and the pods behind them, and the names by which Istio's resources speak of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.parity.random_meshes.dice import Dice

Manifest = dict[str, Any]

ROOT = "istio-system"
NAMESPACES = ("shop", "far")
APPS = ("cart", "web", "db")
VERSIONS = ("v1", "v2")
#: (port, name, appProtocol); numbers repeat, so that services of different protocols meet on one.
PORTS = (
    (80, "http", None),
    (80, "http-web", None),
    (80, "tcp", None),
    (80, "web", None),
    (443, "https", None),
    (443, "tls-x", None),
    (8080, "http2", None),
    (8080, "grpc", None),
    (8080, "x", "grpc"),
    (8080, "unknown", None),
    (9000, "tcp-a", None),
    (9000, "http-b", None),
    (9000, "who", None),
    (9000, "redis", None),
    (3306, "mysql", None),
    (3306, "sql", None),
    (27017, "mongo", None),
    (50051, "grpc", None),
    (50051, "main", "grpc"),
    (50051, "web", "grpc-web"),
    (50051, "h2c", "kubernetes.io/h2c"),
    (15001, "http-taken", None),
)
CREATED = ("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2025-01-01T00:00:00Z")


@dataclass
class World:
    """What has been drawn so far."""

    dice: Dice
    manifests: list[Manifest] = field(default_factory=list)
    services: list[tuple[str, str, list[int]]] = field(default_factory=list)
    gateways: list[tuple[str, str]] = field(default_factory=list)
    providers: list[str] = field(default_factory=list)

    def add(self, version: str, kind: str, name: str, namespace: str, spec: Manifest, **meta: Any) -> None:
        metadata = {"name": name, "namespace": namespace, **meta}
        if self.dice.chance(0.15):
            metadata["creationTimestamp"] = self.dice.one(CREATED)
        self.manifests.append({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})

    def namespace(self) -> str:
        return ROOT if self.dice.chance(0.1) else self.dice.one(NAMESPACES)

    def fqdn(self) -> str:
        name, namespace, _ = self.dice.one(self.services)
        return f"{name}.{namespace}.svc.cluster.local" if namespace else name

    def host(self, namespace: str) -> str:
        """A service by its full name: the oracle's store knows no domain, so that it completes short names to NAME.NAMESPACE."""
        return self.fqdn()

    def port(self, host: str) -> int:
        """A port of the service that a host is, mostly."""
        own = [
            ports
            for name, owner, ports in self.services
            if host in (name, f"{name}.{owner}.svc.cluster.local")
        ]
        return self.dice.one(own[0]) if own and own[0] and self.dice.chance(0.9) else 80

    def labels(self) -> dict[str, str]:
        app = {"app": self.dice.one(APPS)} if self.dice.chance(0.8) else {}
        return app | ({"version": self.dice.one(VERSIONS)} if self.dice.chance(0.4) or not app else {})

    def exported(self) -> dict[str, Any]:
        choices = [["*"], ["."], ["far"], ["shop"], ["shop", "far"]]
        return {"exportTo": self.dice.one(choices)} if self.dice.chance(0.15) else {}


def populate(world: World) -> None:
    """Services and pods."""
    for namespace in NAMESPACES:
        for app in world.dice.some(APPS, 1):
            _service(world, app, namespace)
            for version in world.dice.some(VERSIONS, 0):
                _deployment(world, app, version, namespace)
    if world.dice.chance(0.2):
        _pod(world)
    if world.dice.chance(0.2):
        _service(world, world.dice.one(APPS), ROOT)
    if world.dice.chance(0.4):
        _ingress(world)


def _service(world: World, app: str, namespace: str) -> None:
    dice = world.dice
    name = app if dice.chance(0.9) else f"{app}-alias"
    ports = {number: _port(dice, number, name, spoken) for number, name, spoken in dice.some(PORTS, 1, 5)}
    unique = {port["name"]: port for port in ports.values()}
    spec: Manifest = {"selector": {"app": app}, "ports": list(unique.values())}
    if dice.chance(0.15):
        spec["clusterIP"] = "None"
    if dice.chance(0.05):
        spec["selector"] = {"app": app, "version": dice.one(VERSIONS)}
    if dice.chance(0.03):
        del spec["selector"]
    meta: dict[str, Any] = {}
    if dice.chance(0.1):
        # Not ~: whether istiod's test double knows the endpoints of a Service that nobody sees is a matter of which event comes first.
        meta["annotations"] = {"networking.istio.io/exportTo": dice.one([".", "*", "far", "shop,far"])}
    if (name, namespace) not in [(n, ns) for n, ns, _ in world.services]:
        world.services.append((name, namespace, [port["port"] for port in unique.values()]))
        world.add("v1", "Service", name, namespace, spec, **meta)
        if dice.chance(0.1):
            again = {**spec, "ports": [{**p, "port": p["port"] + 1} for p in spec["ports"]]}
            world.services.append((f"{name}-two", namespace, [p["port"] for p in again["ports"]]))
            world.add("v1", "Service", f"{name}-two", namespace, again)


def _port(dice: Dice, number: int, name: str, spoken: str | None) -> Manifest:
    port: Manifest = {"port": number, "name": name}
    if spoken:
        port["appProtocol"] = spoken
    if dice.chance(0.7):
        port["targetPort"] = dice.one([number, number, 8080, 7070, "main"])
    if dice.chance(0.03):
        port["protocol"] = "UDP"
    return port


def _deployment(world: World, app: str, version: str, namespace: str) -> None:
    dice = world.dice
    labels = {"app": app, "version": version}
    if dice.chance(0.1):
        labels["service.istio.io/canonical-name"] = f"{app}-canonical"
    container: Manifest = {"name": "app", "image": app}
    if dice.chance(0.7):
        container["ports"] = [{"name": "main", "containerPort": dice.one([8080, 50051])}]
    pod: Manifest = {"containers": [container]}
    if dice.chance(0.7):
        pod["serviceAccountName"] = dice.one([app, "shared"])
    spec: Manifest = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    if dice.chance(0.3):
        spec["replicas"] = dice.number(0, 2)
    world.add("apps/v1", "Deployment", f"{app}-{version}", namespace, spec)


def _pod(world: World) -> None:
    dice = world.dice
    labels = {"app": dice.one(APPS), "version": dice.one(VERSIONS)}
    if dice.chance(0.5):
        labels["security.istio.io/tlsMode"] = "istio"
    spec = {
        "containers": [{"name": "app", "image": "pod", "ports": [{"name": "main", "containerPort": 8080}]}]
    }
    world.add("v1", "Pod", "lone", dice.one(NAMESPACES), spec, labels=labels)


def _ingress(world: World) -> None:
    namespace = world.dice.one([*NAMESPACES, ROOT])
    labels = {"istio": "ingressgateway", "app": "ingress"}
    pod = {"containers": [{"name": "istio-proxy", "image": "auto"}], "serviceAccountName": "ingress"}
    world.add(
        "apps/v1",
        "Deployment",
        "ingress",
        namespace,
        {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    )
    ports = [
        {"name": "http2", "port": 80, "targetPort": 8080},
        {"name": "https", "port": 443, "targetPort": 8443},
        {"name": "tcp", "port": 9000},
    ]
    spec = {"selector": {"istio": "ingressgateway"}, "ports": world.dice.some(ports, 1)}
    world.add("v1", "Service", "ingress", namespace, spec)
    world.gateways.append(("ingress", namespace))
