"""The columns of `kubectl get`: those of kubectl's own printers and of Istio's CRDs, and ACCEPTED.

ACCEPTED is whether every proxy concerned has taken the object: the status' condition of type Accepted, which
the runtime writes. A kind without an entry here shows its age.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from mesh.local.api import pods
from mesh.local.api.age import age
from mesh.local.store import Kind, Object
from mesh.local.store.object import at

Value = Callable[[Object, datetime], Any]


@dataclass(frozen=True)
class Column:
    """``wide``: only shown by -o wide.

    ``value`` gets the object and the time, and returns a text or a number.
    """

    name: str
    value: Value
    wide: bool = False
    is_number: bool = False
    description: str = ""


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """The name first, save for Events, whose names say nothing."""
    first = () if kind.name == "Event" else (NAME,)
    return (*first, *_COLUMNS.get(kind.name, (AGE,)), *(_ISTIO if kind.is_istio else ()))


def _path(name: str, path: str, default: Any = "", wide: bool = False, is_number: bool = False) -> Column:
    def value(obj: Object, now: datetime) -> Any:
        found = at(obj, path)
        if isinstance(found, list):
            return ",".join(map(str, found))
        return default if found is None or isinstance(found, dict) else found

    return Column(name, value, wide, is_number, f"The object's {path}.")


def _count(name: str, path: str, wide: bool = False) -> Column:
    return _path(name, path, 0, wide, is_number=True)


def _of(name: str, value: Callable[[Object], Any], wide: bool = False) -> Column:
    return Column(name, lambda obj, now: value(obj), wide)


def _since(name: str, *paths: str) -> Column:
    def value(obj: Object, now: datetime) -> str:
        return next((age(found, now) for path in paths if (found := at(obj, path))), "<unknown>")

    return Column(name, value, description="How long ago.")


def _items(obj: Any, path: str) -> list[Any]:
    found = at(obj, path)
    return found if isinstance(found, list) else []


def _joined(values: Any) -> str:
    return ",".join(str(value) for value in values) or "<none>"


def _selector(path: str, obj: Object) -> str:
    return _joined(f"{name}={value}" for name, value in (at(obj, path) or {}).items())


def _containers(field: str, obj: Object) -> str:
    return _joined(container.get(field, "") for container in _items(obj, "spec.template.spec.containers"))


def _service_ports(obj: Object) -> str:
    return _joined(f"{port.get('port')}/{port.get('protocol', 'TCP')}" for port in _items(obj, "spec.ports"))


def _deployment_ready(obj: Object) -> str:
    return f"{at(obj, 'status.readyReplicas') or 0}/{at(obj, 'spec.replicas') or 0}"


def _event_object(obj: Object) -> str:
    return f"{str(at(obj, 'involvedObject.kind')).lower()}/{at(obj, 'involvedObject.name')}"


def _endpoints(obj: Object) -> str:
    return _joined(
        address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()
    )


def _slice_ports(obj: Object) -> str:
    return _joined(port.get("port") for port in obj.get("ports") or ())


def _size(obj: Object) -> int:
    return len(obj.get("data") or {})


def _completions(obj: Object) -> str:
    return f"{at(obj, 'status.succeeded') or 0}/{at(obj, 'spec.completions') or 1}"


def _job_status(obj: Object) -> str:
    held = [found["type"] for found in _items(obj, "status.conditions") if found.get("status") == "True"]
    return next((name for name in ("Complete", "Failed", "Suspended") if name in held), "Running")


def _accepted(field: str, obj: Object) -> str:
    conditions = _items(obj, "status.conditions")
    return next((str(found.get(field, "")) for found in conditions if found.get("type") == "Accepted"), "")


NAME = _path("Name", "metadata.name")
AGE = _since("Age", "metadata.creationTimestamp")
_ISTIO = (
    _of("Accepted", partial(_accepted, "status")),
    _of("Message", partial(_accepted, "message"), wide=True),
)
_WORKLOAD = (
    _of("Containers", partial(_containers, "name"), wide=True),
    _of("Images", partial(_containers, "image"), wide=True),
    _of("Selector", partial(_selector, "spec.selector.matchLabels"), wide=True),
)

_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Pod": (
        _of("Ready", pods.ready),
        _of("Status", pods.status),
        _of("Restarts", pods.restarts),
        AGE,
        _path("IP", "status.podIP", "<none>", wide=True),
        _path("Node", "spec.nodeName", "<none>", wide=True),
    ),
    "Service": (
        _path("Type", "spec.type"),
        _path("Cluster-IP", "spec.clusterIP", "<none>"),
        _path("External-IP", "spec.externalName", "<none>"),
        _of("Port(s)", _service_ports),
        AGE,
        _of("Selector", partial(_selector, "spec.selector"), wide=True),
    ),
    "Deployment": (
        _of("Ready", _deployment_ready),
        _count("Up-to-date", "status.updatedReplicas"),
        _count("Available", "status.availableReplicas"),
        AGE,
        *_WORKLOAD,
    ),
    "ReplicaSet": (
        _count("Desired", "spec.replicas"),
        _count("Current", "status.replicas"),
        _count("Ready", "status.readyReplicas"),
        AGE,
        *_WORKLOAD,
    ),
    "Job": (_of("Status", _job_status), _of("Completions", _completions), AGE),
    "Namespace": (_path("Status", "status.phase"), AGE),
    "ConfigMap": (_of("Data", _size), AGE),
    "Secret": (_path("Type", "type"), _of("Data", _size), AGE),
    "Event": (
        _since("Last Seen", "lastTimestamp", "eventTime", "metadata.creationTimestamp"),
        _path("Type", "type"),
        _path("Reason", "reason"),
        _of("Object", _event_object),
        _path("Message", "message"),
        _count("Count", "count", wide=True),
        _path("Name", "metadata.name", wide=True),
    ),
    "EndpointSlice": (
        _path("AddressType", "addressType"),
        _of("Ports", _slice_ports),
        _of("Endpoints", _endpoints),
        AGE,
    ),
    "PodDisruptionBudget": (
        _path("Min Available", "spec.minAvailable", "N/A"),
        _path("Max Unavailable", "spec.maxUnavailable", "N/A"),
        _count("Allowed Disruptions", "status.disruptionsAllowed"),
        AGE,
    ),
    "NetworkPolicy": (_of("Pod-Selector", partial(_selector, "spec.podSelector.matchLabels")), AGE),
    "VirtualService": (_path("Gateways", "spec.gateways"), _path("Hosts", "spec.hosts"), AGE),
    "DestinationRule": (_path("Host", "spec.host"), AGE),
    "ServiceEntry": (
        _path("Hosts", "spec.hosts"),
        _path("Location", "spec.location"),
        _path("Resolution", "spec.resolution"),
        AGE,
    ),
    "WorkloadEntry": (AGE, _path("Address", "spec.address")),
    "AuthorizationPolicy": (_path("Action", "spec.action"), AGE),
    "PeerAuthentication": (_path("Mode", "spec.mtls.mode"), AGE),
}
