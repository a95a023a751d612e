"""Which ports a workload serves, and for which services: istiod's service targets.

The first service that reaches a port decides how it is spoken; all of them are named in the cluster's metadata.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mesh.model.service import Port, Protocol, Service, Workload


@dataclass(frozen=True, eq=False)
class Served:
    """One port of the application, with every (service, service port) that reaches it."""

    number: int
    targets: tuple[tuple[Service, Port], ...]

    @property
    def service(self) -> Service:
        return self.targets[0][0]

    @property
    def port(self) -> Port:
        return self.targets[0][1]

    @property
    def protocol(self) -> Protocol:
        return self.port.protocol


def served(workload: Workload, services: Iterable[Service]) -> tuple[Served, ...]:
    """The ports that services reach on this workload, by number."""
    found: dict[int, list[tuple[Service, Port]]] = {}
    for service in sorted(services, key=lambda each: (each.creation, each.hostname)):
        if service.namespace == workload.namespace and _selects(service, workload):
            for number, port in _targets(service, workload):
                found.setdefault(number, []).append((service, port))
    return tuple(Served(number, tuple(found[number])) for number in sorted(found))


def _selects(service: Service, workload: Workload) -> bool:
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
