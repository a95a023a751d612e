"""A container's environment as it must be on this machine, where nothing is captured and every port is taken once.

Charts stay as they are on a cluster. Three kinds of value are rewritten: ``host:port`` of a service becomes the sidecar's listener
for it, one of the pod's own ports (``50051``, ``:50051``, ``0.0.0.0:50051``) becomes the one that the process must bind, on loopback, and
a path under a volume's mount the volume's directory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh.link.hosts import CLUSTER_DOMAIN

_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[::1?\]|^|(?<=//))"
    r":(?P<port>\d{1,5})(?!\d)"
)
#: How a process names itself: every address of the pod, or its loopback. "" is Go's ":50051".
_SELF = frozenset({"", "0.0.0.0", "[::]", "localhost", "127.0.0.1", "[::1]"})  # noqa: S104 - never bound


@dataclass(frozen=True)
class Rewriting:
    """What a pod's values are rewritten to.

    ``upstreams``: (host, port) as listed for the namespace -> loopback port; ``ports``: container port -> bound port; ``mounts``: mount
    path -> directory.
    """

    namespace: str
    upstreams: Mapping[tuple[str, int], int] = field(default_factory=dict)
    ports: Mapping[int, int] = field(default_factory=dict)
    mounts: Mapping[str, str] = field(default_factory=dict)


def environment(pod: Mapping[str, Any], container: Mapping[str, Any], rewriting: Rewriting) -> dict[str, str]:
    """The container's variables in their order, later ones replacing ``$(NAME)`` by earlier ones as Kubernetes does."""
    made: dict[str, str] = {}
    for item in container.get("env") or ():
        value = _value(pod, item)
        value = re.sub(r"\$\(([A-Za-z_][\w.-]*)\)", lambda m: made.get(m.group(1), m.group(0)), value)
        made[item["name"]] = rewrite(value, rewriting)
    return made


def rewrite(value: str, rewriting: Rewriting) -> str:
    """One value as this machine needs it."""
    if value.isdecimal() and int(value) in rewriting.ports:
        return str(rewriting.ports[int(value)])
    value = _ADDRESS.sub(lambda m: _address(m, rewriting), value)
    for mount, directory in rewriting.mounts.items():
        value = re.sub(rf"(?<![\w.-]){re.escape(mount)}(?=/|$)", lambda _, to=directory: to, value)  # type: ignore[misc]
    return value


def hosts_of(container: Mapping[str, Any], namespace: str) -> Iterator[tuple[str, int]]:
    """Every ``host:port`` that a container's values mention, the host fully qualified: what it may want to call."""
    for item in container.get("env") or ():
        for found in _ADDRESS.finditer(str(item.get("value") or "")):
            if found["host"] not in _SELF:
                yield qualified(found["host"], namespace), int(found["port"])


def qualified(host: str, namespace: str) -> str:
    """A name as a pod of the namespace would resolve it: ``catalog``, ``catalog.shop``, ``catalog.shop.svc`` or all of it."""
    parts = host.split(".")
    if len(parts) == 1:
        return f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"
    if len(parts) == 2:
        return f"{host}.svc.{CLUSTER_DOMAIN}"
    return f"{host}.{CLUSTER_DOMAIN}" if host.endswith(".svc") else host


def _address(found: re.Match[str], rewriting: Rewriting) -> str:
    host, port = found["host"], int(found["port"])
    if host in _SELF:
        local = rewriting.ports.get(port)
    else:
        local = rewriting.upstreams.get((qualified(host, rewriting.namespace), port))
    return found.group(0) if local is None else f"{found['scheme'] or ''}127.0.0.1:{local}"


def _value(pod: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    source = item.get("valueFrom") or {}
    path = (source.get("fieldRef") or {}).get("fieldPath")
    return str(_field(pod, path)) if path else str(item.get("value") or "")


def _field(pod: Mapping[str, Any], path: str) -> Any:
    """The downward API: ``metadata.name``, ``metadata.labels['app']``, ``status.podIP``, ``spec.serviceAccountName``."""
    labelled = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if labelled:
        return (pod["metadata"].get(labelled[1]) or {}).get(labelled[2], "")
    found: Any = pod
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, Mapping) else ""
    return found
