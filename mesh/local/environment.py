"""A container's environment as it must be on this machine, where nothing is captured and every port is taken once.

Charts stay as they are on a cluster. Four kinds of value are rewritten: ``host:port`` of a service becomes the sidecar's listener
for it, one of the pod's own ports (``50051``, ``:50051``, ``0.0.0.0:50051``) becomes the one that the process must bind, on loopback, every
address (``0.0.0.0``, ``[::]``) becomes loopback, and a path under a volume's mount the volume's directory.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh.link.hosts import CLUSTER_DOMAIN
from mesh.local import keyed
from mesh.local.keyed import Find

_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[::1?\]|^|(?<=//))"
    r":(?P<port>\d{1,5})(?!\d)"
)
#: How a process names itself: every address of the pod, or its loopback. "" is Go's ":50051".
_SELF = frozenset({"", "0.0.0.0", "[::]", "localhost", "127.0.0.1", "[::1]"})  # noqa: S104 - never bound
_EVERYWHERE = frozenset({"0.0.0.0", "[::]", "::"})  # noqa: S104 - never bound


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


def environment(
    pod: Mapping[str, Any], container: Mapping[str, Any], rewriting: Rewriting, find: Find
) -> dict[str, str]:
    """The container's variables in their order, later ones replacing ``$(NAME)`` by earlier ones as Kubernetes does.

    Raises Missing for a ConfigMap, a Secret or a key that is not there.
    """
    made = {name: rewrite(value, rewriting) for name, value in keyed.variables(container, find)}
    for item in container.get("env") or ():
        value = _value(pod, item, find)
        if value is not None:
            made[item["name"]] = rewrite(_expanded(value, made), rewriting)
    return made


def arguments(
    container: Mapping[str, Any], variables: Mapping[str, str], rewriting: Rewriting
) -> Sequence[str]:
    """The container's ``args``, with variables in place of ``$(NAME)``."""
    return [rewrite(_expanded(str(each), variables), rewriting) for each in container.get("args") or ()]


def _expanded(value: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$\(([A-Za-z_][\w.-]*)\)", lambda m: variables.get(m.group(1), m.group(0)), value)


def rewrite(value: str, rewriting: Rewriting) -> str:
    """One value as this machine needs it."""
    if value.isdecimal() and int(value) in rewriting.ports:
        return str(rewriting.ports[int(value)])
    if value in _EVERYWHERE:
        return "127.0.0.1"
    value = _ADDRESS.sub(lambda m: _address(m, rewriting), value)
    return _relocated(value, rewriting.mounts)


def _relocated(value: str, mounts: Mapping[str, str]) -> str:
    """In one pass: a volume's directory may itself lie below what is a mount path in the pod, such as /tmp."""
    if not mounts:
        return value
    longest = sorted(mounts, key=len, reverse=True)
    found = rf"(?<![\w.-])({'|'.join(re.escape(mount) for mount in longest)})(?=/|$)"
    return re.sub(found, lambda m: mounts[m[1]], value)


def hosts_of(container: Mapping[str, Any], namespace: str, find: Find) -> Iterator[tuple[str, int]]:
    """Every ``host:port`` that a container's values mention, the host fully qualified: what it may want to call."""
    for value in _values(container, find):
        for found in _ADDRESS.finditer(value):
            if found["host"] not in _SELF:
                yield qualified(found["host"], namespace), int(found["port"])


def _values(container: Mapping[str, Any], find: Find) -> Iterator[str]:
    """Those that are there: what is missing keeps the pod from starting, and is told then."""
    yield from (str(each) for each in container.get("args") or ())
    yield from (str(item.get("value") or "") for item in container.get("env") or ())
    for item in container.get("env") or ():
        with contextlib.suppress(keyed.Missing):
            yield keyed.variable(item.get("valueFrom") or {}, find) or ""
    with contextlib.suppress(keyed.Missing):
        yield from (value for _, value in keyed.variables(container, find))


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
        names = (qualified(host, rewriting.namespace), host)
        local = next((p for name in names if (p := rewriting.upstreams.get((name, port)))), None)
    return found.group(0) if local is None else f"{found['scheme'] or ''}127.0.0.1:{local}"


def _value(pod: Mapping[str, Any], item: Mapping[str, Any], find: Find) -> str | None:
    """None for a variable that is not set: an optional key that is not there."""
    source = item.get("valueFrom")
    if not source:
        return str(item.get("value") or "")
    path = (source.get("fieldRef") or {}).get("fieldPath")
    return str(_field(pod, path)) if path else keyed.variable(source, find)


def _field(pod: Mapping[str, Any], path: str) -> Any:
    """The downward API: ``metadata.name``, ``metadata.labels['app']``, ``status.podIP``, ``spec.serviceAccountName``."""
    labelled = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if labelled:
        return (pod["metadata"].get(labelled[1]) or {}).get(labelled[2], "")
    found: Any = pod
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, Mapping) else ""
    return found
