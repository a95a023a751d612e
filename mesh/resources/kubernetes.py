"""The Kubernetes kinds that a mesh is made of, as far as the mesh reads them; other fields are Kubernetes' business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServicePort:
    port: int = 0
    name: str = ""
    protocol: str = ""
    target_port: int | str | None = None
    app_protocol: str = ""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    cluster_ip: str = field(default="", metadata={"name": "clusterIP"})
    type_: str = field(default="ClusterIP", metadata={"name": "type"})
    publish_not_ready_addresses: bool = False


@dataclass(frozen=True, slots=True)
class ContainerPort:
    container_port: int = 0
    name: str = ""
    protocol: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    name: str = ""
    image: str = ""
    ports: tuple[ContainerPort, ...] = ()
    restart_policy: str = ""


@dataclass(frozen=True, slots=True)
class PodSpec:
    service_account_name: str = "default"
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True)
class OwnerReference:
    kind: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """An object's metadata as far as the mesh reads it. ``namespace`` is empty for what has none, as a Namespace itself."""

    name: str = ""
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    creation_timestamp: str = ""
    deletion_timestamp: str = ""
    owner_references: tuple[OwnerReference, ...] = ()


@dataclass(frozen=True, slots=True)
class PodTemplate:
    metadata: Metadata = field(default_factory=Metadata)
    spec: PodSpec = field(default_factory=PodSpec)


@dataclass(frozen=True, slots=True)
class LabelSelector:
    match_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    replicas: int = 1
    selector: LabelSelector | None = None
    template: PodTemplate = field(default_factory=PodTemplate)


@dataclass(frozen=True, slots=True)
class PodCondition:
    type_: str = field(default="", metadata={"name": "type"})
    status: str = ""


@dataclass(frozen=True, slots=True)
class PodStatus:
    pod_ip: str = field(default="", metadata={"name": "podIP"})
    phase: str = ""
    conditions: tuple[PodCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Raw:
    """A kind that the mesh accepts and does not read."""
