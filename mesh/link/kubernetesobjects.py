"""Kubernetes objects: what does not fit the mesh, though Kubernetes itself would accept it."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.hosts import is_label
from mesh.link.names import Names
from mesh.link.services import target
from mesh.link.spot import Spot, spec
from mesh.resources.kubernetes import DeploymentSpec, PodSpec, ServiceSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid_service(each: Object[ServiceSpec]) -> Iterator[Problem]:
    """What Kubernetes refuses, and kinds of Service that are not translated."""
    at, given = spec(each), each.spec
    if given.type_ == "ExternalName":
        text = "a Service of type ExternalName is not translated by meshwright"
        yield (at / "type").problem("MW0102", text, "call the name itself")
    elif not given.ports and given.cluster_ip != "None":
        yield (at / "ports").problem("MW0302", "this Service has no port", "give ports")
    seen: set[str] = set()
    for i, port in enumerate(given.ports):
        if not 0 < port.port < 65536:
            yield (at / "ports" / i / "port").problem(
                "MW0304", f"{port.port} is not a port", "use 1 to 65535"
            )
        if port.name in seen or (not port.name and len(given.ports) > 1):
            text = (
                f"the port name {port.name!r} is given twice"
                if port.name
                else "of several ports each needs a name"
            )
            yield (at / "ports" / i / "name").problem("MW0203", text, "give each its own")
        seen.add(port.name)


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


def invalid_deployment(each: Object[DeploymentSpec]) -> Iterator[Problem]:
    """What Kubernetes refuses."""
    yield from _containers(spec(each) / "template" / "spec", each.spec.template.spec)


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
