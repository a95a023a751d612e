"""Kubernetes objects -> the workloads of a mesh, the services before them, and what they say that they depend on. Used by topology."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlsplit

from mesh.dash.graph import Kind, Pod

Object = dict[str, Any]

_DATABASES: Final = ("sqlite", "postgres", "mysql", "mariadb", "mongo", "redis", "cockroach", "mssql")
_BROKERS: Final = ("nats", "amqp", "rabbitmq", "kafka", "pulsar", "sqs", "mqtt")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s]+")
_GATEWAY: Final = "inject.istio.io/templates"
_CANONICAL: Final = "service.istio.io/canonical-name"


@dataclass(frozen=True)
class Workload:
    """Pods of one owner. ``id`` is ``namespace/name``."""

    id: str
    pods: tuple[Object, ...]

    @property
    def namespace(self) -> str:
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        return self.id.partition("/")[2]

    @property
    def labels(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.pods[0]["metadata"].get("labels") or {}
        return found

    @property
    def annotations(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.pods[0]["metadata"].get("annotations") or {}
        return found

    @property
    def service(self) -> str:
        labels = self.labels
        return (
            labels.get(_CANONICAL) or labels.get("app") or labels.get("app.kubernetes.io/name") or self.name
        )

    @property
    def version(self) -> str:
        return self.labels.get("version", "")


@dataclass(frozen=True)
class Dependency:
    """What a workload's environment names: a database, a broker or a cache, which is not always a part of the mesh."""

    workload: str
    scheme: str
    name: str
    host: str

    @property
    def kind(self) -> Kind:
        return Kind.DATABASE if self.scheme.startswith(_DATABASES) else Kind.BROKER


@dataclass(frozen=True)
class Inventory:
    """``by_kind``: everything, as the API has it."""

    by_kind: Mapping[str, Sequence[Object]]

    @classmethod
    def of(cls, objects: Iterable[Object]) -> Inventory:
        found: defaultdict[str, list[Object]] = defaultdict(list)
        for each in objects:
            found[each["kind"]].append(each)
        return cls(found)

    @cached_property
    def workloads(self) -> Mapping[str, Workload]:
        """Those whose pods have a proxy, in order of id."""
        found: defaultdict[str, list[Object]] = defaultdict(list)
        for pod in self.by_kind.get("Pod", ()):
            if not pod["metadata"].get("deletionTimestamp") and in_mesh(pod):
                found[f"{pod['metadata']['namespace']}/{owner(pod)}"].append(pod)
        return {id_: Workload(id_, tuple(found[id_])) for id_ in sorted(found)}

    @cached_property
    def by_pod(self) -> Mapping[str, str]:
        """Workload by ``namespace/pod``."""
        return {
            f"{each.namespace}/{pod['metadata']['name']}": each.id
            for each in self.workloads.values()
            for pod in each.pods
        }

    @cached_property
    def behind(self) -> Mapping[str, tuple[str, ...]]:
        """Workloads by the Service, ``namespace/name``, that selects them."""
        return {
            f"{each['metadata']['namespace']}/{each['metadata']['name']}": tuple(self._selected(each))
            for each in self.by_kind.get("Service", ())
        }

    def _selected(self, service: Object) -> Iterator[str]:
        selector = (service.get("spec") or {}).get("selector") or {}
        for each in self.workloads.values():
            near = each.namespace == service["metadata"]["namespace"]
            if near and selector and selector.items() <= dict(each.labels).items():
                yield each.id

    def kind(self, workload: Workload) -> Kind:
        """By what its Services say that they speak, else by the annotations of a gateway."""
        if workload.annotations.get(_GATEWAY, "").startswith("gateway") or "gateway" in workload.labels.get(
            "istio", ""
        ):
            return Kind.GATEWAY
        spoken = {word for service in self._services_of(workload) for word in _spoken(service)}
        if any(word.startswith(_DATABASES) for word in spoken):
            return Kind.DATABASE
        return Kind.BROKER if any(word.startswith(_BROKERS) for word in spoken) else Kind.WORKLOAD

    def _services_of(self, workload: Workload) -> Iterator[Object]:
        for each in self.by_kind.get("Service", ()):
            if workload.id in self.behind[f"{each['metadata']['namespace']}/{each['metadata']['name']}"]:
                yield each

    @cached_property
    def dependencies(self) -> Sequence[Dependency]:
        return sorted(
            {found for each in self.workloads.values() for found in _dependencies(each)},
            key=lambda found: (found.workload, found.scheme, found.name),
        )


def in_mesh(pod: Object) -> bool:
    metadata = pod["metadata"]
    labelled = (metadata.get("labels") or {}).get("security.istio.io/tlsMode") == "istio"
    return labelled or _GATEWAY in (metadata.get("annotations") or {})


def owner(pod: Object) -> str:
    """The Deployment's name, as Istio's metrics have it: a ReplicaSet's without its hash."""
    metadata = pod["metadata"]
    above: Object = next(iter(metadata.get("ownerReferences") or ()), metadata)
    name = str(above["name"])
    template = (metadata.get("labels") or {}).get("pod-template-hash")
    return name.removesuffix(f"-{template}") if template and above.get("kind") == "ReplicaSet" else name


def ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def described(pod: Object) -> Pod:
    """As the page shows it. ``status.proxy`` is what the control plane of `mesh up` says of its proxy."""
    status = pod.get("status") or {}
    statuses = status.get("containerStatuses") or ()
    waiting = (each["state"]["waiting"] for each in statuses if "waiting" in (each.get("state") or {}))
    reasons = (f"{each.get('reason', '')}: {each.get('message', '')}".strip(": ") for each in waiting)
    proxy = status.get("proxy")
    account = pod["spec"].get("serviceAccountName", "default")
    identity = f"spiffe://cluster.local/ns/{pod['metadata']['namespace']}/sa/{account}"
    return Pod(
        name=pod["metadata"]["name"],
        ready=ready(pod),
        restarts=sum(each.get("restartCount", 0) for each in statuses),
        reason=next(reasons, ""),
        proxy=in_mesh(pod),
        accepted=bool(proxy.get("acked")) if proxy else None,
        version=str((proxy or {}).get("version") or ""),
        rejected=str((proxy or {}).get("rejected") or ""),
        identity=str((proxy or {}).get("identity") or identity),
        certificate_until=str((proxy or {}).get("certificateExpires") or ""),
    )


def ports(pod: Object) -> Mapping[str, Any]:
    """Its loopback ports in a mesh on this machine; empty on a cluster."""
    text = (pod["metadata"].get("annotations") or {}).get("meshwright.dev/ports")
    found: Mapping[str, Any] = json.loads(text) if text else {}
    return found


def _spoken(service: Object) -> Iterator[str]:
    """ "postgres", "nats" and the like, by appProtocol and by the names of ports; Istio has such a name begin with "tcp-"."""
    for port in (service.get("spec") or {}).get("ports") or ():
        for word in (port.get("appProtocol"), port.get("name")):
            if word:
                yield str(word).lower().removeprefix("tcp-").removeprefix("tcp")
    yield str(service["metadata"]["name"]).lower()


def _dependencies(workload: Workload) -> Iterator[Dependency]:
    containers = workload.pods[0]["spec"].get("containers") or ()
    for env in (env for each in containers for env in each.get("env") or ()):
        value = env.get("value")
        if isinstance(value, str) and _URL.fullmatch(value) and (found := _dependency(workload, value)):
            yield found


def _dependency(workload: Workload, url: str) -> Dependency | None:
    """Never anything of the URL but its scheme, its host and the database's name: there may be a password in it."""
    scheme = url.partition(":")[0].partition("+")[0]
    if not scheme.startswith((*_DATABASES, *_BROKERS)):
        return None
    try:
        host, path = urlsplit(url).hostname or "", urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        return None
    return Dependency(workload.id, scheme, path.removesuffix(".db") or host or workload.service, host)
