"""Kubernetes Services and the pods they select -> the model's services with endpoints and identities.

EndpointSlices are not read: they follow from Services and pods, as Kubernetes derives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from mesh.link import entries, slices
from mesh.link.hosts import CLUSTER_DOMAIN
from mesh.link.memo import Memo
from mesh.link.pods import Pods
from mesh.model.service import Endpoint, Port, Protocol, Resolution, Service, Workload
from mesh.resources.kubernetes import ServicePort
from mesh.resources.object import Object

_BY_NAME: Final = {
    **{p.value.lower(): p for p in Protocol if p not in (Protocol.UNSUPPORTED, Protocol.GRPC_WEB)},
}
_APP_PROTOCOLS: Final = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}
_READ: Final = frozenset({"EndpointSlice", "Service", "ServiceEntry", "WorkloadEntry"})
_WELL_KNOWN_TCP: Final = frozenset({25, 53, 3306, 27017})


def services(
    objects: Iterable[Object[Any]], pods: Pods, running: bool, trust_domain: str, memo: Memo
) -> tuple[Service, ...]:
    """Every Service and ServiceEntry with its endpoints, by creation, then name, then namespace, as istiod orders them.

    ``running`` says that Kubernetes' defaults are filled in and that each pod serves a named port under a number of its own.
    Files are read as istiod's test double reads them: with no defaults, and one number for all pods behind a port.
    """
    everything = [each for each in objects if each.kind in _READ]
    found = [each for each in everything if each.kind == "Service"]
    others = [each for each in everything if each.kind == "WorkloadEntry"]
    machines = entries.Machines(others, trust_domain)
    sliced = slices.by_service(each for each in everything if each.kind == "EndpointSlice")
    made = []
    for number, each in enumerate(found, 1):
        chosen = pods.selected(each.metadata.namespace, each.spec.selector) if each.spec.selector else []
        given = (
            sliced.get((each.metadata.namespace, each.metadata.name), []) if not each.spec.selector else []
        )
        make = partial(_service, each, number, chosen, given, pods, running, machines)
        # In files a named port is that of the first pod of all that has it.
        made.append(
            memo.once(f"service {number} of {trust_domain}", each, make, [*chosen, *given, *others])
            if running
            else make()
        )
    for each in everything:
        if each.kind == "ServiceEntry":
            among = pods.selected(each.metadata.namespace, {}) if each.spec.workload_selector else []
            produce = partial(_of_entry, each, pods, machines)
            made += memo.once(f"services of {trust_domain}", each, produce, [*among, *others])
    return tuple(sorted(made, key=lambda s: (s.creation, s.name, s.namespace)))


def _of_entry(each: Object[Any], pods: Pods, machines: entries.Machines) -> list[Service]:
    return list(entries.services([each], pods, machines))


def protocol(port: ServicePort) -> Protocol:
    """By appProtocol, else by the port's name, each up to its first dash; else sniffed.

    Source: istio pkg/config/kube, ConvertProtocol; pkg/config/protocol, Parse.
    """
    if port.protocol == "UDP":
        return Protocol.UDP
    if port.app_protocol in _APP_PROTOCOLS:
        return _APP_PROTOCOLS[port.app_protocol]
    name = (port.app_protocol or port.name).lower()
    if name.startswith("grpc-web"):
        return Protocol.GRPC_WEB
    prefix = name.partition("-")[0]
    if prefix in _BY_NAME:
        return _BY_NAME[prefix]
    return Protocol.TCP if port.port in _WELL_KNOWN_TCP else Protocol.UNSUPPORTED


def _service(
    each: Object[Any],
    number: int,
    chosen: Sequence[Workload],
    sliced: Sequence[Object[Any]],
    pods: Pods,
    running: bool,
    machines: entries.Machines,
) -> Service:
    metadata, spec = each.metadata, each.spec
    ports = tuple(_port(port) for port in spec.ports)
    headless = spec.cluster_ip == "None"
    of_pods = (
        _endpoint(port, w, w.serving(port) if running else _everywhere(port, pods))
        for port in ports
        for w in chosen
    )
    endpoints = [endpoint for found in of_pods for endpoint in found]
    endpoints += slices.endpoints(sliced, ports)
    if spec.selector and not headless:
        endpoints += machines.behind(metadata.namespace, spec.selector, ports)
    return Service(
        hostname=f"{metadata.name}.{metadata.namespace}.svc.{CLUSTER_DOMAIN}",
        name=metadata.name,
        namespace=metadata.namespace,
        ports=ports,
        addresses=() if headless else (spec.cluster_ip or f"10.2.0.{number}",),
        endpoints=tuple(endpoints),
        selector=dict(spec.selector),
        labels=dict(metadata.labels),
        resolution=Resolution.PASSTHROUGH if headless else Resolution.CLIENT_SIDE_LB,
        export_to=_export_to(metadata.annotations.get("networking.istio.io/exportTo", "")),
        service_accounts=tuple(sorted({*(w.identity for w in chosen), *machines.identities(endpoints)})),
        creation=metadata.creation_timestamp,
        place=each.place(),
    )


def target(port: ServicePort, workload: Workload) -> int:
    """The port's number on a workload; 0 when the workload has no port of the name that targetPort says."""
    wanted = port.target_port
    if isinstance(wanted, str):
        return next((port.number for port in workload.container_ports if port.name == wanted), 0)
    return wanted or port.port


def _port(port: ServicePort) -> Port:
    return Port(port.port, port.name, protocol(port), port.target_port or 0, port.protocol)


def _everywhere(port: Port, pods: Pods) -> int:
    """The number of a port in the one slice of its Service: what the first pod of all calls so, else the Service's own."""
    if isinstance(port.target, str):
        return pods.first_port(port.target) or port.number
    return port.target or port.number


def _endpoint(port: Port, workload: Workload, number: int | None) -> Iterator[Endpoint]:
    if not workload.ready or not number or port.protocol is Protocol.UDP:
        return
    yield Endpoint(
        address=workload.pod_address,
        port=number,
        service_port=port.name,
        labels=workload.labels,
        workload=workload,
        tls=workload.in_mesh,
        locality=workload.locality,
        identity=workload.identity,
    )


def _export_to(annotation: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in annotation.split(",")) if annotation else ()
