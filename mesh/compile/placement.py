"""A placement of a whole mesh on one machine with ports counted up: for printing and for tests.

A running mesh takes the ports that are free instead (``mesh.local``). The order is that of the Mesh, so that the same files
give the same ports.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from mesh.compile import ports
from mesh.compile.gateway import merged
from mesh.compile.scope import Scopes
from mesh.compile.served import Served, served
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Kind, Port, Protocol, Service, Workload

_FIRST = 20001


def numbered(mesh: Mesh, first: int = _FIRST) -> Placement:
    """Every port that the mesh needs, from ``first`` on."""
    numbers = count(first)
    scopes = Scopes(mesh)
    inbound, application, outbound, gateway = {}, {}, {}, {}
    for workload in mesh.workloads:
        for each in _served(mesh, workload, scopes):
            inbound[workload.key, each.number] = next(numbers)
            application[workload.key, each.application] = next(numbers)
        for number in _gateway(mesh, workload):
            gateway[workload.key, number] = next(numbers)
        for host, port in outbound_ports(mesh, workload, scopes):
            outbound[workload.key, host, port] = next(numbers)
    return Placement(True, inbound, application, outbound, gateway)


def outbound_ports(mesh: Mesh, workload: Workload, scopes: Scopes | None = None) -> list[tuple[str, int]]:
    """(host name, port) of every service that a proxy has a listener for."""
    scope = (scopes or Scopes(mesh)).of(workload)
    found = (
        (service.hostname, port.number)
        for egress in scope.egress
        for service in egress.services
        for port in service.ports
        if listened(service, port)
    )
    return list(dict.fromkeys(found))


def listened(service: Service, port: Port) -> bool:
    """Whether a proxy listens for calls to it. A host outside the mesh that is called by TLS is called directly: its certificate is for
    its own name, and a wildcard is no name that can be called."""
    outside = service.entry and (ports.is_tls(port.protocol) or "*" in service.hostname)
    return port.protocol is not Protocol.UDP and not outside


def _served(mesh: Mesh, workload: Workload, scopes: Scopes) -> tuple[Served, ...]:
    sidecar = workload.kind is Kind.SIDECAR
    return served(workload, mesh.services, scopes.of(workload).sidecar) if sidecar else ()


def _gateway(mesh: Mesh, workload: Workload) -> Iterator[int]:
    if workload.kind is Kind.ROUTER:
        yield from merged(mesh, workload, served(workload, mesh.services)).ports
