"""What Kubernetes fills in where a manifest is silent, as far as clients and controllers here rely on it.

Source: the defaults in k8s.io/kubernetes/pkg/apis/*/v1/defaults.go. Works on a fresh copy, which it changes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from mesh.local.store.draft import Draft
from mesh.local.store.kind import kind
from mesh.local.store.object import Object, at

ADDRESSES_A_BLOCK = 250
"""How many cluster IPs each 10.2.x.0/24 gives out, as for pods in 10.1."""


def fill(obj: Object, draft: Draft) -> None:
    """Fills in the object's defaults in place. ``draft`` is asked which cluster IPs are in use."""
    if obj["kind"] == "Service":
        _service(obj, draft)
    elif simple := _SIMPLE.get(obj["kind"]):
        simple(obj)


def _service(obj: Object, draft: Draft) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    for port in _items(spec.get("ports")):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    if spec["type"] == "ExternalName":
        return
    spec.setdefault("internalTrafficPolicy", "Cluster")
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")
    if not spec.get("clusterIP"):
        spec["clusterIP"] = _free_address(draft)
    spec["clusterIPs"] = [spec["clusterIP"]]


def _free_address(draft: Draft) -> str:
    """The lowest free one: Services made in one order always get 10.2.0.1, 10.2.0.2, ..."""
    used = {at(service, "spec.clusterIP") for service in draft.of(kind("Service"))}
    return next(address for address in map(_address, range(len(used) + 1)) if address not in used)


def _address(place: int) -> str:
    block, rest = divmod(place, ADDRESSES_A_BLOCK)
    return f"10.2.{block}.{rest + 1}"


def _deployment(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        _fill(strategy.setdefault("rollingUpdate", {}), maxSurge="25%", maxUnavailable="25%")
    _template(spec, "Always")


def _replica_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, replicas=1)
    _template(spec, "Always")


def _job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, parallelism=1, completions=1, backoffLimit=6)
    _template(spec, "Never")


def _pod(obj: Object) -> None:
    _pod_spec(obj.setdefault("spec", {}), "Always")


def _template(spec: dict[str, Any], restart: str) -> None:
    template = spec.get("template")
    if isinstance(template, dict):
        _pod_spec(template.setdefault("spec", {}), restart)


def _pod_spec(spec: dict[str, Any], restart: str) -> None:
    _fill(spec, restartPolicy=restart, terminationGracePeriodSeconds=30)
    for container in (*_items(spec.get("initContainers")), *_items(spec.get("containers"))):
        for port in _items(container.get("ports")):
            port.setdefault("protocol", "TCP")
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            _probe(container.get(name))


def _probe(probe: object) -> None:
    """kubectl describe reads all of it, and ends with a panic where there is no service."""
    if not isinstance(probe, dict):
        return
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if isinstance(probe.get("grpc"), dict):
        probe["grpc"].setdefault("service", "")
    if isinstance(probe.get("httpGet"), dict):
        _fill(probe["httpGet"], path="/", scheme="HTTP")


def _namespace(obj: Object) -> None:
    labels = obj["metadata"].setdefault("labels", {})
    labels.setdefault("kubernetes.io/metadata.name", obj["metadata"].get("name", ""))
    obj.setdefault("status", {}).setdefault("phase", "Active")


def _secret(obj: Object) -> None:
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None) or {}
    if plain:
        obj["data"] = {
            **(obj.get("data") or {}),
            **{name: base64.b64encode(str(text).encode()).decode() for name, text in plain.items()},
        }


def _network_policy(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if "egress" in spec else ["Ingress"])


_SIMPLE: dict[str, Callable[[Object], None]] = {
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "NetworkPolicy": _network_policy,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Secret": _secret,
}


def _fill(target: dict[str, Any], **defaults: Any) -> None:
    for name, value in defaults.items():
        target.setdefault(name, value)


def _items(value: Any) -> Iterable[dict[str, Any]]:
    """The items of a list that may be missing. ``shape`` has seen to it that they are maps."""
    return value or ()
