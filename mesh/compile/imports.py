"""A Sidecar's egress hosts (``namespace/host``): which services and VirtualServices they take in.

Source: pilot/pkg/model/sidecar.go, convertIstioListenerToWrapper and selectServices; virtualservice.go, SelectVirtualServices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mesh.compile.hosts import matches, subset, wildcard
from mesh.compile.visible import VirtualService
from mesh.model.service import Port, Service

ANY_NAMESPACE = "*"


@dataclass
class Hosts:
    """What is taken in, and what is left out, from one namespace."""

    taken: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    def excludes(self, host: str) -> bool:
        return any(subset(host, each) for each in self.excluded)

    def has_service(self, host: str) -> bool:
        return any(subset(host, each) for each in self.taken)

    def has_rule(self, host: str) -> bool:
        return host in self.taken or any(
            matches(host, each) for each in self.taken if wildcard(host) or wildcard(each)
        )


def classify(hosts: Iterable[str], namespace: str) -> dict[str, Hosts]:
    """Egress hosts by the namespace that they name; ``.`` is the Sidecar's own, ``~`` before a host leaves it out."""
    found: dict[str, Hosts] = {}
    for each in hosts:
        owner, slash, name = each.partition("/")
        if not slash or "/" in name:
            continue
        excluded, owner = owner.startswith("~"), owner.removeprefix("~")
        owner = namespace if owner == "." else owner or ANY_NAMESPACE
        entry = found.setdefault(owner, Hosts())
        (entry.excluded if excluded else entry.taken).append(name)
    return found


def services(
    candidates: Iterable[Service], hosts: Mapping[str, Hosts], namespace: str, port: Port | None = None
) -> list[Service]:
    """The candidates that the hosts take in, for all of their ports or for one.

    Of two with one name, the Sidecar's own namespace wins, else the first.
    """
    whole = (service for service in candidates if _takes(hosts, service))
    taken = [made for service in whole if (made := only(service, {port.number if port else 0}))]
    owners: dict[str, str] = {}
    for service in taken:
        if service.hostname not in owners or service.namespace == namespace:
            owners[service.hostname] = service.namespace
    return [service for service in taken if owners[service.hostname] == service.namespace]


def only(service: Service, ports: set[int]) -> Service | None:
    """The service with only these ports (0 is any); None when it has none of them."""
    if 0 in ports:
        return service
    kept = tuple(port for port in service.ports if port.number in ports)
    if len(kept) == len(service.ports):
        return service
    return replace(service, ports=kept) if kept else None


def rules(candidates: Iterable[VirtualService], hosts: Mapping[str, Hosts]) -> list[VirtualService]:
    """The VirtualServices with at least one host that is taken in."""
    return [
        rule for rule in candidates if any(_takes_rule(hosts, rule.namespace, h) for h in rule.spec.hosts)
    ]


def _takes(hosts: Mapping[str, Hosts], service: Service) -> bool:
    named = [hosts[ns] for ns in (service.namespace, ANY_NAMESPACE) if ns in hosts]
    return not any(each.excludes(service.hostname) for each in named) and any(
        each.has_service(service.hostname) for each in named
    )


def _takes_rule(hosts: Mapping[str, Hosts], namespace: str, host: str) -> bool:
    named = [hosts[ns] for ns in (namespace, ANY_NAMESPACE) if ns in hosts]
    return not any(each.excludes(host) for each in named) and any(each.has_rule(host) for each in named)
