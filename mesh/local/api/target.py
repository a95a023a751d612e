"""What a request is about, read from its path: a kind in one version, a namespace, a name, a subresource.

Paths: ``/api/v1/...`` and ``/apis/GROUP/VERSION/...``, then
``[namespaces/NAMESPACE/]PLURAL[/NAME[/SUBRESOURCE]]``; a slash at the end does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh.local.store import Key, Kind, Object, Refused, key
from mesh.local.store.kind import by_plural


@dataclass(frozen=True)
class Target:
    """``name`` is empty for a collection, ``namespace`` for all of them or a kind that has none."""

    kind: Kind
    version: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        return key(self.kind, self.namespace, self.name)

    @property
    def api_version(self) -> str:
        return self.kind.in_version(self.version)

    def shown(self, obj: Object) -> Object:
        """A stored object in the version that was asked for: Istio's versions differ in nothing else."""
        return obj if obj.get("apiVersion") == self.api_version else {**obj, "apiVersion": self.api_version}


def target(path: str) -> Target:
    """Raises Refused (404) for a path that names nothing served here."""
    match path.strip("/").split("/"):
        case ["api", "v1", *rest]:
            group, version = "", "v1"
        case ["apis", group, version, *rest]:
            pass
        case _:
            raise _nothing(path)
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] != "status":
        _, namespace, *rest = rest
    plural, *tail = rest or [""]
    kind = by_plural(group, plural)
    if kind is None or version not in kind.versions or len(tail) > 2 or (namespace and not kind.namespaced):
        raise _nothing(path)
    if kind.namespaced and tail and not namespace:
        raise _nothing(path)
    name, subresource = (*tail, "", "")[:2]
    return Target(kind, version, namespace, name, subresource)


def _nothing(path: str) -> Refused:
    return Refused(404, "NotFound", f"the server could not find the requested resource: {path}")
