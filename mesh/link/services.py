"""Kubernetes Services and the pods they select -> the model's services with endpoints and identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mesh.link.hosts import CLUSTER_DOMAIN
from mesh.model.service import Endpoint, Port, Protocol, Resolution, Service, Workload
from mesh.resources.kubernetes import ServicePort, ServiceSpec
from mesh.resources.object import Object

_BY_NAME = {p.value.lower(): p for p in Protocol if p is not Protocol.UNSUPPORTED}
_APP_PROTOCOLS = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}
_WELL_KNOWN_TCP = frozenset({25, 53, 3306, 27017})


def services(objects: Iterable[Object[Any]], workloads: Sequence[Workload]) -> tuple[Service, ...]:
    """Every Service with its endpoints, by creation and then name, as istiod orders them."""
    found = [each for each in objects if each.kind == "Service"]
    made = [_service(each, each.spec, number, workloads) for number, each in enumerate(found, 1)]
    return tuple(sorted(made, key=lambda s: (s.creation, s.name, s.namespace)))


def protocol(port: ServicePort) -> Protocol:
    """By appProtocol, else by the port's name before its first dash, else sniffed.

    Source: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
    """
    if port.protocol == "UDP":
        return Protocol.UDP
    given = port.app_protocol.lower()
    if given in _APP_PROTOCOLS:
        return _APP_PROTOCOLS[given]
    name = given or port.name.lower()
    if name in _BY_NAME:
        return _BY_NAME[name]
    if not given and name.partition("-")[0] in _BY_NAME:
        return Protocol.GRPC_WEB if name.startswith("grpc-web") else _BY_NAME[name.partition("-")[0]]
    return Protocol.TCP if port.port in _WELL_KNOWN_TCP else Protocol.UNSUPPORTED


def _service(each: Object[Any], spec: ServiceSpec, number: int, workloads: Sequence[Workload]) -> Service:
    metadata = each.metadata
    chosen = [w for w in workloads if _selects(spec, metadata.namespace, w)]
    ports = tuple(_port(port, chosen or workloads) for port in spec.ports)
    headless = spec.cluster_ip == "None"
    endpoints = tuple(e for port in ports for w in chosen for e in _endpoint(port, w))
    return Service(
        hostname=f"{metadata.name}.{metadata.namespace}.svc.{CLUSTER_DOMAIN}",
        name=metadata.name,
        namespace=metadata.namespace,
        ports=ports,
        addresses=() if headless else (spec.cluster_ip or f"10.2.0.{number}",),
        endpoints=endpoints,
        selector=dict(spec.selector),
        resolution=Resolution.PASSTHROUGH if headless else Resolution.CLIENT_SIDE_LB,
        export_to=_export_to(metadata.annotations.get("networking.istio.io/exportTo", "")),
        service_accounts=tuple(sorted({w.identity for w in chosen})),
        creation=metadata.creation_timestamp,
        place=each.place(),
    )


def _selects(spec: ServiceSpec, namespace: str, workload: Workload) -> bool:
    if not spec.selector or workload.namespace != namespace:
        return False
    return all(workload.labels.get(k) == v for k, v in spec.selector.items())


def _port(port: ServicePort, workloads: Sequence[Workload]) -> Port:
    target = port.target_port
    if isinstance(target, str):
        named = (number for w in workloads for name, number in w.container_ports if name == target)
        target = next(named, 0) or port.port
    return Port(port.port, port.name, protocol(port), target or port.port)


def _endpoint(port: Port, workload: Workload) -> Iterator[Endpoint]:
    if not workload.ready or port.protocol is Protocol.UDP:
        return
    yield Endpoint(
        address=workload.pod_address,
        port=int(port.target),
        service_port=port.name,
        labels=workload.labels,
        workload=workload,
        tls=workload.in_mesh,
        locality=workload.locality,
        identity=workload.identity,
    )


def _export_to(annotation: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in annotation.split(",") if part.strip()) or ("*",)
