"""Kubernetes objects: what does not fit the mesh, though Kubernetes itself would accept it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mesh.link.hosts import is_label
from mesh.link.names import Names
from mesh.link.objectnames import is_port
from mesh.link.services import protocol, target
from mesh.link.spot import Spot, spec
from mesh.model.service import Workload
from mesh.resources.kubernetes import DeploymentSpec, PodSpec, ServicePort, ServiceSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_TYPES: Final = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_TRANSPORTS: Final = ("", "TCP", "UDP", "SCTP")


def invalid_service(each: Object[ServiceSpec]) -> Iterator[Problem]:
    """What Kubernetes refuses, and kinds of Service that are not translated."""
    at, given = spec(each), each.spec
    if given.type_ == "ExternalName":
        text = "a Service of type ExternalName is not translated by meshwright"
        yield (at / "type").problem("MW0102", text, "call the name itself")
    elif not given.ports and given.cluster_ip != "None":
        yield (at / "ports").problem("MW0302", "this Service has no port", "give ports")
    if given.type_ not in _TYPES:
        text = f"{given.type_!r} is not a type of Service"
        yield (at / "type").problem("MW0308", text, f"use one of: {', '.join(_TYPES)}")
    names: set[str] = set()
    numbers: set[tuple[int, str]] = set()
    for i, port in enumerate(given.ports):
        yield from _port(at / "ports" / i, port)
        if port.name in names or (not port.name and len(given.ports) > 1):
            twice = f"the port name {port.name!r} is given twice"
            text = twice if port.name else "of several ports each needs a name"
            yield (at / "ports" / i / "name").problem("MW0203", text, "give each its own")
        names.add(port.name)
        number = (port.port, port.protocol or "TCP")
        if number in numbers:
            yield (at / "ports" / i / "port").problem(
                "MW0203", f"port {port.port} is given twice", "remove one"
            )
        numbers.add(number)


def _port(at: Spot, port: ServicePort) -> Iterator[Problem]:
    if not 0 < port.port < 65536:
        yield (at / "port").problem("MW0304", f"{port.port} is not a port", "use 1 to 65535")
    if isinstance(port.target_port, int) and not 0 <= port.target_port < 65536:
        text = f"{port.target_port} is not a port"
        yield (at / "targetPort").problem("MW0304", text, "use 1 to 65535, or a container port's name")
    if port.name and not is_port(port.name):
        text, fix = f"{port.name!r} cannot name a port", "use small letters, digits and dashes"
        yield (at / "name").problem("MW0310", text, fix)
    if port.protocol not in _TRANSPORTS:
        text = f"{port.protocol!r} is not a transport"
        fix = "use TCP or UDP; what is spoken over it is said by appProtocol"
        yield (at / "protocol").problem("MW0308", text, fix)


def misdirected_service(each: Object[ServiceSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds no pod, a targetPort that none of them has."""
    at, given = spec(each), each.spec
    if not given.selector:
        return
    chosen = names.pods.selected(each.metadata.namespace, given.selector)
    if not chosen:
        labels = ", ".join(f"{key}={value}" for key, value in given.selector.items())
        text = f"no workload in {each.metadata.namespace} has the labels {labels}"
        yield (at / "selector").problem("MW0206", text, "calls fail with 503 until one has")
        return
    for i, port in enumerate(given.ports):
        if not any(target(port, workload) for workload in chosen):
            have = {port.name: port.number for w in chosen for port in w.container_ports if port.name}
            fix = f"they have: {', '.join(sorted(have)) or 'no named port'}"
            text = f"no container behind {each.metadata.name} has a port named {port.target_port!r}"
            yield (at / "ports" / i / "targetPort").problem("MW0205", text, fix)
        yield from _spoken(at / "ports" / i, port, chosen, names)


def _spoken(at: Spot, port: ServicePort, chosen: Sequence[Workload], names: Names) -> Iterator[Problem]:
    """A pod's port that an earlier Service says speaks something else: the sidecar takes the first one's word."""
    here = protocol(port)
    for workload in chosen:
        service, first = names.behind(workload).get(target(port, workload), (None, None))
        if service and first and first.protocol is not here:
            said = f"Service {service.namespace}/{service.name} says that port {target(port, workload)} of pod {workload.name}"
            text = f"{said} speaks {first.protocol}, this one that it speaks {here}"
            yield at.problem("MW0207", text, "give both the same appProtocol")
            return


def invalid_deployment(each: Object[DeploymentSpec]) -> Iterator[Problem]:
    """What Kubernetes refuses."""
    at, selector = spec(each), each.spec.selector
    if selector is None:
        fix = "give selector with matchLabels, and its pods those labels"
        yield at.problem("MW0302", "this Deployment has no selector", fix)
    for key, value in selector.match_labels.items() if selector else ():
        if each.spec.template.metadata.labels.get(key) != value:
            text = f"the pods of this Deployment do not have the label {key}={value}"
            fix = "give it to template.metadata.labels"
            yield (at / "selector" / "matchLabels" / key).problem("MW0302", text, fix)
    yield from _containers(at / "template" / "spec", each.spec.template.spec)


def invalid_pod(each: Object[PodSpec]) -> Iterator[Problem]:
    """What Kubernetes refuses."""
    yield from _containers(spec(each), each.spec)


def _containers(at: Spot, given: PodSpec) -> Iterator[Problem]:
    if not given.containers:
        yield (at / "containers").problem("MW0302", "there is no container to run", "give containers")
    seen: set[str] = set()
    for i, container in enumerate(given.containers):
        here = at / "containers" / i
        if not is_label(container.name):
            yield (here / "name").problem(
                "MW0310", f"{container.name!r} cannot name a container", "use letters and dashes"
            )
        elif container.name in seen:
            yield (here / "name").problem(
                "MW0203", f"container {container.name!r} is given twice", "rename one"
            )
        seen.add(container.name)
        for j, port in enumerate(container.ports):
            if not 0 < port.container_port < 65536:
                text = f"{port.container_port} is not a port"
                yield (here / "ports" / j / "containerPort").problem("MW0304", text, "use 1 to 65535")
