"""ServiceEntries and WorkloadEntries: what istiod refuses, and what does nothing.

Source: istio validation.go, ValidateServiceEntry and validateWorkloadEntry.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link import selectors
from mesh.link.exports import exports
from mesh.link.hosts import is_address, is_block, is_domain, is_label
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.resources.istio.serviceentry import EntryResolution, ServiceEntrySpec, WorkloadEntrySpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_UNIX: Final = "unix://"
_BY_NAME: Final = (EntryResolution.DNS, EntryResolution.DNS_ROUND_ROBIN)
_TOLD_APART: Final = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY", "HTTPS", "TLS")
_PROTOCOLS: Final = frozenset({*_TOLD_APART, "TCP", "UDP", "MONGO", "MYSQL", "REDIS"})


def invalid(each: Object[ServiceEntrySpec]) -> Iterator[Problem]:
    """What istiod refuses, and what is not translated."""
    at, given = spec(each), each.spec
    yield from selectors.invalid(at / "workloadSelector", given.workload_selector, "labels")
    yield from exports(at / "exportTo", given.export_to, nobody=True)
    if given.workload_selector and given.endpoints:
        text = "workloadSelector and endpoints cannot stand together"
        yield (at / "endpoints").problem("MW0302", text, "say in one way who answers")
    if given.resolution is EntryResolution.DYNAMIC_DNS:
        text = "resolution DYNAMIC_DNS is part of Istio's API, but meshwright does not translate it"
        yield (at / "resolution").problem("MW0102", text, "name the hosts, with resolution DNS")
    yield from _hosts(at, given)
    yield from _addresses(at, given)
    yield from _ports(at, given)
    yield from _endpoints(at, given)


def misdirected(each: Object[ServiceEntrySpec], names: Names) -> Iterator[Problem]:
    """A selector that does nothing."""
    if each.spec.workload_selector and each.spec.resolution is EntryResolution.NONE:
        text = "resolution NONE keeps the address that a caller chose, whatever workloadSelector says"
        yield (spec(each) / "workloadSelector").problem("MW0106", text, "use resolution STATIC")


def invalid_workload(each: Object[WorkloadEntrySpec]) -> Iterator[Problem]:
    """What istiod refuses."""
    yield from _entry(spec(each), each.spec, None, by_name=True)


def _hosts(at: Spot, given: ServiceEntrySpec) -> Iterator[Problem]:
    if not given.hosts:
        yield at.problem("MW0306", "this ServiceEntry names no host", "give hosts")
    bare = given.resolution in _BY_NAME and not given.endpoints
    for i, host in enumerate(given.hosts):
        if host == "*" or not is_domain(host):
            yield (at / "hosts" / i).problem(
                "MW0310", f"{host!r} is not a host name", "as in api.example.com"
            )
        elif bare and "*" in host:
            text = f"nobody can look {host!r} up"
            yield (at / "hosts" / i).problem("MW0302", text, "name the hosts, or give endpoints")
    together = len(given.hosts) > 1 and given.resolution is not EntryResolution.NONE
    alike = next((i for i, p in enumerate(given.ports) if p.protocol.upper() not in _TOLD_APART), None)
    if together and alike is not None:
        text = f"hosts cannot be told apart on a port of protocol {given.ports[alike].protocol or 'TCP'}"
        yield (at / "ports" / alike).problem("MW0302", text, "give each host a ServiceEntry of its own")


def _addresses(at: Spot, given: ServiceEntrySpec) -> Iterator[Problem]:
    for i, address in enumerate(given.addresses):
        here = at / "addresses" / i
        if not is_block(address):
            yield here.problem(
                "MW0302", f"{address!r} is not an IP address or CIDR block", "as in 10.0.0.0/8"
            )
        elif "/" in address and given.resolution in _BY_NAME:
            text = "a block of addresses needs resolution NONE or STATIC"
            yield here.problem("MW0302", text, "give one address, or none")


def _ports(at: Spot, given: ServiceEntrySpec) -> Iterator[Problem]:
    names: set[str] = set()
    numbers: set[int] = set()
    for i, port in enumerate(given.ports):
        here = at / "ports" / i
        if not is_label(port.name):
            yield (here / "name").problem(
                "MW0310", f"{port.name!r} cannot name a port", "use letters and dashes"
            )
        elif port.name in names:
            yield (here / "name").problem("MW0203", f"port {port.name!r} is given twice", "rename one")
        if port.number in numbers:
            yield (here / "number").problem("MW0203", f"port {port.number} is given twice", "remove one")
        names.add(port.name)
        numbers.add(port.number)
        if not 0 < port.number < 65536:
            yield (here / "number").problem("MW0304", f"{port.number} is not a port", "use 1 to 65535")
        if not 0 <= port.target_port < 65536:
            yield (here / "targetPort").problem(
                "MW0304", f"{port.target_port} is not a port", "use 1 to 65535"
            )
        if port.protocol and port.protocol.upper() not in _PROTOCOLS:
            known = ", ".join(sorted(_PROTOCOLS))
            text = f"{port.protocol!r} is not a protocol"
            yield (here / "protocol").problem("MW0308", text, f"use one of: {known}")


def _endpoints(at: Spot, given: ServiceEntrySpec) -> Iterator[Problem]:
    if given.endpoints and given.resolution is EntryResolution.NONE:
        text = "resolution NONE keeps the address that a caller chose, so that there are no endpoints"
        yield (at / "endpoints").problem("MW0302", text, "use resolution STATIC or DNS")
        return
    if given.resolution is EntryResolution.DNS_ROUND_ROBIN and len(given.endpoints) > 1:
        text = "resolution DNS_ROUND_ROBIN takes one endpoint"
        yield (at / "endpoints").problem("MW0302", text, "use resolution DNS for several")
    names = {port.name for port in given.ports}
    for i, endpoint in enumerate(given.endpoints):
        yield from _entry(at / "endpoints" / i, endpoint, names, given.resolution in _BY_NAME)


def _entry(at: Spot, given: WorkloadEntrySpec, ports: set[str] | None, by_name: bool) -> Iterator[Problem]:
    """``ports`` are the names that a ServiceEntry has; None where nobody knows."""
    unix = given.address.startswith(_UNIX)
    if not given.address and not given.network:
        yield at.problem("MW0302", "nothing says where it is", "give address")
    elif unix:
        yield from _socket(at, given, ports)
    elif given.address and not is_address(given.address) and not (by_name and _is_name(given.address)):
        wanted = "an IP address or a host name" if by_name else "an IP address"
        yield (at / "address").problem(
            "MW0302", f"{given.address!r} is not {wanted}", "use resolution DNS for names"
        )
    for name, number in given.ports.items():
        if ports is not None and name not in ports:
            text = f"the ServiceEntry has no port {name!r}"
            yield (at / "ports" / name).problem("MW0205", text, f"it has: {', '.join(sorted(ports))}")
        if not 0 < number < 65536:
            yield (at / "ports" / name).problem("MW0304", f"{number} is not a port", "use 1 to 65535")


def _socket(at: Spot, given: WorkloadEntrySpec, ports: set[str] | None) -> Iterator[Problem]:
    path = given.address.removeprefix(_UNIX)
    if not path.startswith(("/", "@")) or len(path) < 2:
        yield (at / "address").problem("MW0302", f"{path!r} is no path", "as in unix:///run/app.sock")
    if given.ports:
        yield (at / "ports").problem("MW0302", "a Unix socket has no ports", "remove them")
    if ports is not None and len(ports) != 1:
        text = "a Unix socket can stand for one port only"
        yield (at / "address").problem("MW0302", text, "give each port a ServiceEntry of its own")


def _is_name(name: str) -> bool:
    return "*" not in name and is_domain(name)
