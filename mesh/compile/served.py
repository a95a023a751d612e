"""Which ports a workload serves, and for which services: istiod's service targets, or what its Sidecar's ingress says instead.

The first service that reaches a port decides how it is spoken; all of them are named in the cluster's metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mesh.compile import ports
from mesh.envoy.address import ANY, LOOPBACK
from mesh.model.mesh import Config
from mesh.model.service import Port, Protocol, Service, Workload
from mesh.resources.istio.destinationrule import ConnectionPool
from mesh.resources.istio.network import CaptureMode, IngressListener, SidecarSpec

Target = tuple[Service, Port]


@dataclass(frozen=True, eq=False)
class Served:
    """One port of the application.

    ``port`` is the service's; ``targets`` every (service, service port) that reaches it; ``hostname`` whom telemetry names.
    The rest is what a Sidecar's ingress may say: an address to listen on, by itself (``bound``) or among what is captured,
    where to send requests (``endpoint``: an address and port, or a Unix socket), limits, and the Sidecar's name.
    """

    number: int
    port: Port
    hostname: str
    targets: tuple[Target, ...]
    address: str = ANY
    bound: bool = False
    endpoint: tuple[str, int] | None = None
    pool: ConnectionPool | None = None
    sidecar: tuple[str, str] | None = None

    @property
    def service(self) -> Service | None:
        """The first of the services; None when a Sidecar made the port up."""
        return self.targets[0][0] if self.targets else None

    @property
    def application(self) -> int:
        """The application's own port, which a Sidecar may place elsewhere."""
        return self.endpoint[1] if self.endpoint and self.endpoint[1] else self.number

    @property
    def protocol(self) -> Protocol:
        return self.port.protocol


def served(
    workload: Workload, services: Iterable[Service], sidecar: Config[SidecarSpec] | None = None
) -> tuple[Served, ...]:
    """The ports of a workload, by number."""
    found: dict[int, list[Target]] = {}
    for service in sorted(services, key=lambda each: (each.creation, each.hostname)):
        if service.namespace == workload.namespace and _selects(service, workload):
            for number, port in _targets(service, workload):
                found.setdefault(number, []).append((service, port))
    pool = sidecar.spec.inbound_connection_pool if sidecar else None
    if sidecar and sidecar.spec.ingress:
        return tuple(_of_sidecar(sidecar, workload, found))
    return tuple(
        Served(number, found[number][0][1], found[number][0][0].hostname, tuple(found[number]), pool=pool)
        for number in sorted(found)
    )


def _of_sidecar(
    sidecar: Config[SidecarSpec], workload: Workload, found: dict[int, list[Target]]
) -> Iterator[Served]:
    """Of two listeners on one port the first counts."""
    unique = {each.port.number: each for each in reversed(sidecar.spec.ingress)}
    for number in sorted(unique):
        yield _ingress(unique[number], sidecar, workload, found.get(number, []))


def _ingress(
    given: IngressListener, sidecar: Config[SidecarSpec], workload: Workload, there: list[Target]
) -> Served:
    port = Port(given.port.number, given.port.name, ports.parse(given.port.protocol), given.port.number)
    return Served(
        number=port.number,
        port=port,
        hostname=f"{sidecar.name}.{workload.namespace}",
        targets=tuple((service, port) for service, _ in there[:1]),
        address=given.bind or workload.pod_address,
        bound=given.capture_mode is CaptureMode.NONE,
        endpoint=_endpoint(given.default_endpoint, workload),
        pool=given.connection_pool or sidecar.spec.inbound_connection_pool,
        sidecar=(workload.namespace, sidecar.name),
    )


def _endpoint(given: str, workload: Workload) -> tuple[str, int] | None:
    """Where a Sidecar's default endpoint is; None keeps the address that was called. ``0.0.0.0`` is the pod's own."""
    if not given:
        return None
    if given.startswith("unix://"):
        return given, 0
    address, _, port = given.rpartition(":")
    there = {ANY: workload.pod_address, "[::1]": LOOPBACK, "[::]": "::1"}
    return there.get(address, address), int(port)


def _selects(service: Service, workload: Workload) -> bool:
    if service.entry:  # of which some take only the first of the pods that they select
        return any(
            each.workload is not None and each.workload.key == workload.key for each in service.endpoints
        )
    wanted = service.selector.items()
    return bool(wanted) and all(workload.labels.get(key) == value for key, value in wanted)


def _targets(service: Service, workload: Workload) -> list[tuple[int, Port]]:
    """Target ports in the Service's order; of two with one number and protocol, the first."""
    first: dict[tuple[int, Protocol], Port] = {}
    for port in service.ports:
        number = workload.serving(port)
        if number is not None:
            first.setdefault((number, port.protocol), port)
    return [(number, port) for (number, _), port in first.items()]
