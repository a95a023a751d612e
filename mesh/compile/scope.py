"""What one proxy sees of the mesh: services, VirtualServices, DestinationRules.

A Sidecar narrows it; a gateway sees all. Source: pilot/pkg/model/sidecar.go. Proxies of one namespace with the same
Sidecar share one Scope, and everything compiled from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from mesh.compile import imports
from mesh.compile.destinations import targets
from mesh.compile.ports import parse
from mesh.compile.rules import Rule, Rules
from mesh.compile.visible import VirtualService, services_for, virtual_services_for
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Kind, Port, Protocol, Service, Workload
from mesh.resources.istio.network import CaptureMode, EgressListener, OutboundPolicy, SidecarSpec

_EVERYTHING = EgressListener(hosts=("*/*",))


@dataclass(frozen=True, eq=False)
class Egress:
    """One egress listener: the services that it answers for and the rules for them.

    ``port`` is None for a listener for every port, ``bind`` empty for the services' own addresses; ``bound`` says that the proxy
    listens there itself, since nothing is captured.
    """

    services: tuple[Service, ...]
    virtual_services: tuple[VirtualService, ...]
    port: Port | None = None
    bind: str = ""
    bound: bool = False


@dataclass(frozen=True, eq=False)
class Scope:
    """``services`` are all that have clusters; ``egress`` those that have listeners and routes."""

    namespace: str
    kind: Kind
    services: tuple[Service, ...]
    egress: tuple[Egress, ...]
    outbound: OutboundPolicy
    rules: Mapping[str, Rule]
    inbound_rules: Mapping[str, Rule]
    sidecar: Config[SidecarSpec] | None

    def rule(self, hostname: str) -> Rule | None:
        return self.rules.get(hostname)

    def service(self, hostname: str) -> Service | None:
        return self._by_host.get(hostname)

    @cached_property
    def _by_host(self) -> Mapping[str, Service]:
        return {service.hostname: service for service in self.services}


class Scopes:
    """The Scope of every proxy, each made once."""

    def __init__(self, mesh: Mesh, rules: Rules | None = None) -> None:
        self._mesh = mesh
        self._rules = rules or Rules(mesh.destination_rules, mesh.config)
        self._exported = mesh.config.default_service_export_to
        self._made: dict[Hashable, Scope] = {}
        self._by_workload: dict[tuple[str, str], Scope] = {}
        self._sidecars: dict[str, list[Config[SidecarSpec]]] = defaultdict(list)
        for each in mesh.sidecars:
            self._sidecars[each.namespace].append(each)

    def of(self, workload: Workload) -> Scope:
        if workload.key not in self._by_workload:
            self._by_workload[workload.key] = self._find(workload)
        return self._by_workload[workload.key]

    def followed(self, mesh: Mesh, follow: Callable[[Scope], Scope]) -> Scopes:
        """Those of a next Mesh whose workloads, Sidecars and DestinationRules are the same; ``follow`` makes of a Scope what it is there."""
        made = Scopes(mesh, self._rules)
        after = {id(scope): follow(scope) for scope in self._made.values()}
        made._made = {key: after[id(scope)] for key, scope in self._made.items()}
        made._by_workload = {key: after[id(scope)] for key, scope in self._by_workload.items()}
        return made

    def _find(self, workload: Workload) -> Scope:
        sidecar = self._sidecar(workload) if workload.kind is Kind.SIDECAR else None
        selecting = self._rules.selecting(workload)
        key = (workload.namespace, workload.kind, id(sidecar), selecting)
        if key not in self._made:
            self._made[key] = self._make(workload, sidecar)
        return self._made[key]

    def _sidecar(self, workload: Workload) -> Config[SidecarSpec] | None:
        """The namespace's Sidecar that selects the pod, else its one without a selector, else the root namespace's."""
        own = self._sidecars.get(workload.namespace, [])
        chosen = (s for s in own if (by := s.spec.workload_selector) and by.selects(workload.labels))
        root = self._sidecars.get(self._mesh.config.root_namespace, [])
        wide = (s for s in (*own, *root) if s.spec.workload_selector is None)
        return next(chosen, next(wide, None))

    def _make(self, workload: Workload, sidecar: Config[SidecarSpec] | None) -> Scope:
        spec, namespace = sidecar.spec if sidecar else SidecarSpec(), workload.namespace
        exported = services_for(self._mesh.services, namespace, self._exported)
        rules = virtual_services_for(self._mesh, namespace)
        egress = []
        for listener in spec.egress or (_EVERYTHING,):
            hosts = imports.classify(listener.hosts, namespace)
            port = _port(listener)
            one = port if port and port.number and port.protocol is not Protocol.HTTP_PROXY else None
            taken = tuple(imports.services(exported, hosts, namespace, one))
            bound = listener.capture_mode is CaptureMode.NONE or listener.bind.startswith("unix://")
            chosen = tuple(imports.rules(rules, hosts))
            egress.append(Egress(taken, chosen, port, listener.bind, bound))
        policy = spec.outbound_traffic_policy or self._mesh.config.outbound_traffic_policy
        services = tuple(_unique(self._reachable(egress, namespace)))
        found = {s.hostname: self._rules.find(workload, s) for s in services}
        outbound = {host: rule for host, (rule, _) in found.items() if rule}
        inbound = {host: rule for host, (_, rule) in found.items() if rule}
        return Scope(namespace, workload.kind, services, tuple(egress), policy, outbound, inbound, sidecar)

    def _reachable(self, egress: list[Egress], namespace: str) -> Iterator[Service]:
        """Imported services, and those that an imported VirtualService sends requests to, with only the ports it names."""
        for each in egress:
            yield from each.services
            for rule in each.virtual_services:
                for host, ports in _destinations(rule, namespace).items():
                    service = self._visible(host, namespace)
                    wanted = {each.port.number} if each.port and each.port.number else ports
                    if service and (narrowed := imports.only(service, wanted)):
                        yield narrowed

    def _visible(self, hostname: str, namespace: str) -> Service | None:
        named = [s for s in self._mesh.services if s.hostname == hostname]
        own = [s for s in named if s.namespace == namespace]
        return next(iter(own or services_for(named, namespace, self._exported)), None)


def _destinations(rule: VirtualService, namespace: str) -> dict[str, set[int]]:
    """Hosts and ports (0 is any) of the routes that callers in ``namespace`` may meet."""
    found: dict[str, set[int]] = {}
    for target in targets(rule, namespace):
        found.setdefault(target.host, set()).add(target.port.number if target.port else 0)
    return found


def _port(listener: EgressListener) -> Port | None:
    given = listener.port
    return Port(given.number, given.name, parse(given.protocol), given.number) if given else None


def _unique(services: Iterator[Service]) -> Iterator[Service]:
    """One service a host name: the first, with the ports that a later part of the same service adds."""
    found: dict[str, Service] = {}
    for service in services:
        first = found.setdefault(service.hostname, service)
        if first.namespace == service.namespace:
            known = {port.number for port in first.ports}
            added = tuple(port for port in service.ports if port.number not in known)
            found[service.hostname] = replace(first, ports=first.ports + added) if added else first
    yield from found.values()
