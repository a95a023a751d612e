"""The names by which a service is called. Source: istiod's generateVirtualHostDomains.

Ports are left out where the route configuration ignores them when it compares; only a proxy for every port needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh.link.hosts import is_address
from mesh.model.service import Resolution, Service

_SVC = ".svc."
_DOMAIN = ".svc.cluster.local"


def domains(service: Service, namespace: str, port: int = 0) -> list[str]:
    """Every name and address of a service for a caller in ``namespace``; with a port, also each with the port."""
    found = [*_with_port([service.hostname], port), *alternatives(service.hostname, namespace, port)]
    if service.resolution is Resolution.PASSTHROUGH and not service.entry:
        found += [f"*.{domain}" for domain in found]
    return [*found, *_with_port(service.addresses, port)]


def alternatives(hostname: str, namespace: str, port: int = 0) -> list[str]:
    """The shorter names that Kubernetes' search domains resolve, and the absolute one with its last dot."""
    found = [] if is_address(hostname) else [f"{hostname}."]
    found += [f"{hostname}.:{port}"] if port else []
    if not hostname.endswith(_DOMAIN):
        return found
    short = hostname[: hostname.index(_SVC)]
    name, dot, owner = short.partition(".")
    if not dot:
        return found
    names = (name, f"{short}.svc", short) if owner == namespace else (short, f"{short}.svc")
    return [*found, *_with_port(names, port)]


def _with_port(names: Iterable[str], port: int) -> Iterator[str]:
    for name in names:
        yield name
        if port:
            yield f"{name}:{port}"
