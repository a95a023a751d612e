"""The names by which a service is called. Source: istiod's generateVirtualHostDomains.

Ports are left out: the route configuration ignores them when it compares.
"""

from __future__ import annotations

from mesh.model.service import Resolution, Service

_SVC = ".svc."


def domains(service: Service, namespace: str) -> list[str]:
    """Every name and address of a service for a caller in ``namespace``."""
    found = [service.hostname, *alternatives(service.hostname, namespace)]
    if service.resolution is Resolution.PASSTHROUGH and not service.external:
        found += [f"*.{domain}" for domain in found]
    return [*found, *service.addresses]


def alternatives(hostname: str, namespace: str) -> list[str]:
    """The shorter names that Kubernetes' search domains resolve, and the absolute one with its last dot."""
    found = [] if _is_address(hostname) else [f"{hostname}."]
    if not hostname.endswith(".svc.cluster.local"):
        return found
    short = hostname[: hostname.index(_SVC)]
    name, dot, owner = short.partition(".")
    if not dot:
        return found
    if owner == namespace:
        return [*found, name, f"{short}.svc", short]
    return [*found, short, f"{short}.svc"]


def _is_address(hostname: str) -> bool:
    return hostname.replace(".", "").isdigit()
