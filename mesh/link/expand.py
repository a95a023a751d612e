"""Deployments and Pods -> workloads, numbered as istiod's test double numbers them, or as they really run.

A Deployment in a file becomes its replicas DEPLOYMENT-0, DEPLOYMENT-1, ...; the n-th pod of all, from 0, has the address
10.1.(n/250).(n%250+1) unless its status says another, and is ready. On a running mesh (``running=True``) the objects are real Pods,
Deployments are not expanded, and a Pod is a workload from when it has an address until it is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mesh.link.memo import Memo
from mesh.model.identity import Identity
from mesh.model.service import ContainerPort, Kind, Workload
from mesh.resources.kubernetes import DeploymentSpec, Metadata, PodSpec, PodStatus
from mesh.resources.object import Object

TLS_LABEL = "security.istio.io/tlsMode"
GATEWAY_TEMPLATE = "inject.istio.io/templates"
_READ: Final = ("v1", "apps/v1")
_ENDED: Final = ("Succeeded", "Failed")


def workloads(
    objects: Iterable[Object[Any]], trust_domain: str, running: bool, memo: Memo
) -> tuple[Workload, ...]:
    """All pods that the objects make, in the order of the objects. Of a running mesh a Pod has its own address, whatever its number is."""
    pods = [pod for each in objects for pod in _pods(each, running)]
    if not running:
        return tuple(_workload(pod, i, trust_domain) for i, pod in enumerate(pods))
    what = f"workload of {trust_domain}"
    return tuple(memo.once(what, pod[0], partial(_workload, pod, 0, trust_domain)) for pod in pods)


def of_pod(pod: Object[Any], trust_domain: str) -> Workload:
    """The workload that one real Pod is, also before it has an address and after it has ended."""
    return _workload((pod, pod.metadata, pod.spec, _owner(pod), pod.status), 0, trust_domain)


_Pod = tuple[Object[Any], Metadata, PodSpec, str, PodStatus | None]


def _pods(each: Object[Any], running: bool) -> Iterator[_Pod]:
    if each.api_version not in _READ:
        return
    if each.kind == "Pod" and not running:
        yield (
            each,
            each.metadata,
            each.spec,
            each.metadata.name,
            replace(each.status, phase="", conditions=()),
        )
    elif each.kind == "Pod" and each.status.pod_ip and each.status.phase not in _ENDED:
        yield each, each.metadata, each.spec, _owner(each), each.status
    elif each.kind == "Deployment" and not running:
        yield from _replicas(each, each.spec)


def _replicas(each: Object[Any], spec: DeploymentSpec) -> Iterator[_Pod]:
    template = spec.template.metadata
    labels = {**template.labels, TLS_LABEL: "istio"}
    for i in range(spec.replicas):
        name = f"{each.metadata.name}-{i}"
        metadata = Metadata(name, each.metadata.namespace, labels, template.annotations)
        yield each, metadata, spec.template.spec, each.metadata.name, None


def _owner(pod: Object[Any]) -> str:
    """The Deployment that runs a pod, else what made it, else the pod itself."""
    owners = pod.metadata.owner_references
    name = owners[0].name if owners else ""
    template = pod.metadata.labels.get("pod-template-hash")  # of the ReplicaSet that a Deployment made
    return (name.removesuffix(f"-{template}") if template else name) or pod.metadata.name


def _workload(pod: _Pod, index: int, trust_domain: str) -> Workload:
    each, metadata, spec, owner, status = pod
    address = (status.pod_ip if status else "") or f"10.1.{index // 250}.{index % 250 + 1}"
    sidecars = (c for c in spec.init_containers if c.restart_policy == "Always")
    ports = tuple(
        ContainerPort(port.name, port.container_port, port.protocol)
        for container in (*spec.containers, *sidecars)
        for port in container.ports
    )
    return Workload(
        name=metadata.name,
        namespace=metadata.namespace,
        owner=owner,
        identity=Identity(metadata.namespace, spec.service_account_name or "default", trust_domain),
        pod_address=address,
        labels=dict(metadata.labels),
        annotations=dict(metadata.annotations),
        container_ports=ports,
        kind=_kind(metadata),
        in_mesh=metadata.labels.get(TLS_LABEL) == "istio",
        ready=not metadata.deletion_timestamp and _ready(status),
        creation=metadata.creation_timestamp,
        place=each.place(),
    )


def _kind(metadata: Metadata) -> Kind:
    gateway = (
        metadata.annotations.get(GATEWAY_TEMPLATE) == "gateway"
        or metadata.labels.get("istio") == "ingressgateway"
    )
    return Kind.ROUTER if gateway else Kind.SIDECAR


def _ready(status: PodStatus | None) -> bool:
    if status is None or not status.conditions:
        return status is None or not status.phase
    return any(c.type_ == "Ready" and c.status == "True" for c in status.conditions)
