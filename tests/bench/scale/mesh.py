"""A mesh of services with two pods each. As the shop's charts have it, a Sidecar lets each see only the ten services that it calls."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Manifest = dict[str, Any]
CALLS = 10
_NAMESPACE = 50
_CREATED = "2025-01-01T00:00:00Z"


def manifests(services: int) -> list[Manifest]:
    mesh_wide = {"name": "default", "namespace": "istio-system", "creationTimestamp": _CREATED}
    strict = ("security.istio.io/v1", "PeerAuthentication", mesh_wide, {"mtls": {"mode": "STRICT"}})
    return [_made(*strict), *(each for i in range(services) for each in service(i, services))]


def service(i: int, of: int) -> Iterator[Manifest]:
    """All that one service is made of; it calls ten of the first ``of``."""
    name = {"name": f"svc-{i}", "namespace": _namespace(i), "creationTimestamp": _CREATED}
    ports = [{"name": "grpc", "port": 50051, "targetPort": 50051}]
    address = f"10.{100 + i // 62500}.{i // 250 % 250}.{i % 250 + 1}"
    selector = {"app": f"svc-{i}"}
    yield _made("v1", "Service", name, {"clusterIP": address, "selector": selector, "ports": ports})
    yield from (_pod(i, version) for version in (1, 2))
    host = _host(i)
    split = [{"destination": {"host": host, "subset": s}, "weight": w} for s, w in (("v1", 90), ("v2", 10))]
    retries = {"attempts": 2, "perTryTimeout": "500ms", "retryOn": "unavailable"}
    routes = [{"name": "all", "route": split, "timeout": "2s", "retries": retries}]
    networking = "networking.istio.io/v1"
    yield _made(networking, "VirtualService", name, {"hosts": [host], "http": routes})
    subsets = [{"name": v, "labels": {"version": v}} for v in ("v1", "v2")]
    policy = {"connectionPool": {"http": {"http2MaxRequests": 1000}}}
    yield _made(
        networking, "DestinationRule", name, {"host": host, "trafficPolicy": policy, "subsets": subsets}
    )
    called = [(i + 7 * n + 1) % of for n in range(CALLS)]
    hosts = [f"{_namespace(n)}/{_host(n)}" for n in called]
    spec = {"workloadSelector": {"labels": selector}, "egress": [{"hosts": hosts}]}
    yield _made(networking, "Sidecar", name, spec)
    callers = [(i - 7 * n - 1) % of for n in range(CALLS)]
    principals = [f"cluster.local/ns/{_namespace(n)}/sa/svc-{n}" for n in callers]
    rule = {
        "from": [{"source": {"principals": principals}}],
        "to": [{"operation": {"paths": [f"/s{i}.S/*"]}}],
    }
    rules = {"selector": {"matchLabels": selector}, "action": "ALLOW", "rules": [rule]}
    yield _made("security.istio.io/v1", "AuthorizationPolicy", name, rules)


def _made(version: str, kind: str, metadata: Manifest, spec: Manifest, **more: Any) -> Manifest:
    uid = f"{kind} {metadata['namespace']}/{metadata['name']}"
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, "uid": uid}, "spec": spec, **more}


def _pod(i: int, version: int) -> Manifest:
    number = 2 * i + version - 1
    labels = {"app": f"svc-{i}", "version": f"v{version}", "security.istio.io/tlsMode": "istio"}
    metadata = {"name": f"svc-{i}-v{version}", "namespace": _namespace(i), "labels": labels}
    container = {"name": "a", "image": "a", "ports": [{"containerPort": 50051}]}
    spec = {"serviceAccountName": f"svc-{i}", "containers": [container]}
    address = f"10.{1 + number // 62500}.{number // 250 % 250}.{number % 250 + 1}"
    return _made("v1", "Pod", metadata, spec, status={"podIP": address, **ready(True)})


def ready(now: bool) -> Manifest:
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": str(now)}]}


def _namespace(i: int) -> str:
    return f"ns-{i // _NAMESPACE}"


def _host(i: int) -> str:
    return f"svc-{i}.{_namespace(i)}.svc.cluster.local"


def weight(made: Manifest) -> None:
    route = made["spec"]["http"][0]["route"]
    route[0]["weight"], route[1]["weight"] = route[1]["weight"], route[0]["weight"]


def policy(made: Manifest) -> None:
    made["spec"]["rules"][0]["to"][0]["operation"]["paths"] += ["/more"]


def endpoint(made: Manifest) -> None:
    made["status"].update(ready(False))


#: What is changed: of which kind, whose, and how. istiod's test double takes changes of Istio's kinds only.
EDITS: dict[str, tuple[str, str, Callable[[Manifest], None], bool]] = {
    "one weight": ("VirtualService", "svc-7", weight, True),
    "one policy": ("AuthorizationPolicy", "svc-7", policy, True),
    "one endpoint": ("Pod", "svc-7-v1", endpoint, False),
}


def edited(objects: list[Manifest], edit: str) -> tuple[int, Manifest]:
    """The place of the object that an edit is of, and what it becomes."""
    kind, name, change, _ = EDITS[edit]
    place = next(i for i, m in enumerate(objects) if (m["kind"], m["metadata"]["name"]) == (kind, name))
    made = copy.deepcopy(objects[place])
    change(made)
    return place, made
