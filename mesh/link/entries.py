"""ServiceEntries and WorkloadEntries -> the model's services and endpoints: hosts that are not Kubernetes' own.

Source: pilot/pkg/serviceregistry/serviceentry, conversion.go. A ServiceEntry is one service for each host and address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

from mesh.link.hosts import is_address
from mesh.link.pods import Pods
from mesh.model.identity import Identity
from mesh.model.service import Endpoint, Port, Protocol, Resolution, Service, Workload
from mesh.resources.istio.network import GatewayPort
from mesh.resources.istio.serviceentry import (
    EntryResolution,
    Location,
    ServiceEntrySpec,
    WorkloadEntrySpec,
)
from mesh.resources.object import Object

_TLS_MODE: Final = "security.istio.io/tlsMode"
_LOCALITY: Final = "istio-locality"
_UNIX: Final = "unix://"
#: Later than any creationTimestamp: what was not created on a cluster is created now.
_NOW: Final = "9999"
_RESOLUTIONS: Final = {
    EntryResolution.NONE: Resolution.PASSTHROUGH,
    EntryResolution.STATIC: Resolution.CLIENT_SIDE_LB,
    EntryResolution.DNS: Resolution.DNS,
    EntryResolution.DNS_ROUND_ROBIN: Resolution.DNS_ROUND_ROBIN,
}
_BY_NAME: Final = {protocol.value.lower(): protocol for protocol in Protocol}


@dataclass(frozen=True)
class _Entry:
    """A WorkloadEntry, or an endpoint of a ServiceEntry, with its name."""

    name: str
    namespace: str
    spec: WorkloadEntrySpec
    labels: Mapping[str, str]


class Machines:
    """The WorkloadEntries of a mesh: workloads that are no pods."""

    def __init__(self, objects: Iterable[Object[Any]], trust_domain: str) -> None:
        self._all = [_named(each) for each in objects if each.kind == "WorkloadEntry"]
        self.trust_domain = trust_domain

    def selected(self, namespace: str, labels: Mapping[str, str]) -> list[_Entry]:
        """By name."""
        found = (e for e in self._all if e.namespace == namespace and labels.items() <= e.labels.items())
        return sorted(found, key=lambda entry: entry.name)

    def behind(self, namespace: str, labels: Mapping[str, str], ports: Iterable[Port]) -> Iterator[Endpoint]:
        """For a Kubernetes Service; those without an address, or without a port of the name that it asks for, are none of its."""
        found = [each for each in self.selected(namespace, labels) if is_address(each.spec.address)]
        for port in ports:
            for each in found:
                number = _behind(each, port)
                if number and port.protocol is not Protocol.UDP:
                    yield _of_entry(each, port.name, number, self.trust_domain)

    def identities(self, endpoints: Iterable[Endpoint]) -> Iterator[Identity]:
        """Who they are, of the endpoints that are machines."""
        return (each.identity for each in endpoints if each.entry and each.identity)


def services(objects: Iterable[Object[Any]], pods: Pods, machines: Machines) -> Iterator[Service]:
    """Every service that a ServiceEntry makes, in no particular order."""
    for each in objects:
        if each.kind == "ServiceEntry" and each.spec.resolution in _RESOLUTIONS:
            yield from _services(each, each.spec, machines, pods)


def _services(each: Object[Any], spec: ServiceEntrySpec, machines: Machines, pods: Pods) -> Iterator[Service]:
    metadata = each.metadata
    selector = spec.workload_selector.labels if spec.workload_selector else {}
    for host in spec.hosts:
        addresses = list(_addresses(spec))
        # istiod makes a service of each address, and gives each the endpoints of all.
        endpoints = tuple(_one_a_port(each, _endpoints(each, host, machines, pods))) * len(addresses)
        for address in addresses:
            yield Service(
                hostname=host,
                name=host,
                namespace=metadata.namespace,
                ports=tuple(_port(port) for port in spec.ports),
                addresses=(address,) if address else (),
                endpoints=endpoints,
                selector=dict(selector),
                labels=dict(metadata.labels),
                resolution=_RESOLUTIONS[spec.resolution],
                external=spec.location is Location.MESH_EXTERNAL,
                entry=True,
                export_to=spec.export_to,
                service_accounts=tuple(sorted({e.identity for e in endpoints if e.identity})),
                alternative_names=spec.subject_alt_names,
                creation=metadata.creation_timestamp or _NOW,
                place=each.place(),
            )


def _one_a_port(each: Object[Any], endpoints: Iterable[Endpoint]) -> Iterator[Endpoint]:
    """Of those that are asked for in turn there is only the first."""
    once = each.spec.resolution is EntryResolution.DNS_ROUND_ROBIN
    seen: set[str] = set()
    for endpoint in endpoints:
        if not once or endpoint.service_port not in seen:
            yield endpoint
        seen.add(endpoint.service_port)


def _addresses(spec: ServiceEntrySpec) -> Iterator[str]:
    """Each as one address where its block is no larger; "" where there is none."""
    for given in spec.addresses:
        network = ip_network(given, strict=False)
        yield str(network.network_address) if network.num_addresses == 1 else given
    if not spec.addresses:
        yield ""


def _port(port: GatewayPort) -> Port:
    protocol = _BY_NAME.get(port.protocol.lower(), Protocol.UNSUPPORTED)
    return Port(port.number, port.name, protocol, port.target_port or port.number)


def _endpoints(each: Object[Any], host: str, machines: Machines, pods: Pods) -> Iterator[Endpoint]:
    """Those that are listed, else those that are selected, else the host itself where its name is to be resolved."""
    spec: ServiceEntrySpec = each.spec
    by_name = spec.resolution in (EntryResolution.DNS, EntryResolution.DNS_ROUND_ROBIN)
    if spec.workload_selector is not None:
        labels = spec.workload_selector.labels
        for port in spec.ports:
            for pod in sorted(pods.selected(each.metadata.namespace, labels), key=lambda pod: pod.name):
                yield _of_pod(pod, port)
            for entry in machines.selected(each.metadata.namespace, labels):
                if by_name or is_address(entry.spec.address):
                    yield _of_entry(entry, port.name, _number(entry, port), machines.trust_domain)
    elif spec.endpoints or not by_name:
        for i, given in enumerate(spec.endpoints):
            name = f"{each.metadata.name}-{i}"
            entry = _Entry(name, each.metadata.namespace, given, given.labels)
            for port in spec.ports:
                yield _of_entry(entry, port.name, _number(entry, port), machines.trust_domain)
    else:
        itself = (each.metadata.namespace, each.metadata.name)
        for port in spec.ports:
            yield Endpoint(host, port.target_port or port.number, port.name, tls=False, entry=itself)


def _named(each: Object[Any]) -> _Entry:
    """Labels of the object are also the entry's, and win."""
    labels = {**each.spec.labels, **each.metadata.labels}
    return _Entry(each.metadata.name, each.metadata.namespace, each.spec, labels)


def _of_pod(pod: Workload, port: GatewayPort) -> Endpoint:
    return Endpoint(
        address=pod.pod_address,
        port=port.target_port or port.number,
        service_port=port.name,
        labels=pod.labels,
        workload=pod,
        tls=pod.in_mesh,
        ready=pod.ready,
        locality=pod.locality,
        identity=pod.identity,
    )


def _behind(entry: _Entry, port: Port) -> int:
    """A Service's port there; 0 when the Service asks for one by a name that the entry does not have."""
    if isinstance(port.target, str):
        return entry.spec.ports.get(port.target, 0)
    return (entry.spec.ports.get(port.name) or port.target) if port.target else port.number


def _number(entry: _Entry, port: GatewayPort) -> int:
    """What the entry itself says, else the service."""
    return entry.spec.ports.get(port.name) or port.target_port or port.number


def _of_entry(entry: _Entry, service_port: str, number: int, trust_domain: str) -> Endpoint:
    """A Unix socket has no port."""
    spec = entry.spec
    unix = spec.address.startswith(_UNIX)
    account = spec.service_account
    mode = entry.labels.get(_TLS_MODE, "istio" if account else "disabled")
    return Endpoint(
        address=spec.address.removeprefix(_UNIX),
        port=0 if unix else number,
        service_port=service_port,
        labels=entry.labels,
        tls=mode == "istio",
        weight=spec.weight or 1,
        locality=spec.locality or entry.labels.get(_LOCALITY, "").replace(".", "/"),
        identity=Identity(entry.namespace, account, trust_domain) if account else None,
        entry=(entry.namespace, entry.name),
    )
