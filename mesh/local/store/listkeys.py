"""Which lists of the built-in kinds are really maps, and by which fields: patches merge them by item.

The source is the ``patchMergeKey`` and ``listMapKey`` markers in k8s.io/api. Every other list, and every list
of Istio's kinds (whose CRDs declare none), is replaced as a whole. Read by the strategic merge patch and by
server-side apply.
"""

from __future__ import annotations

from mesh.local.store.kind import Kind

_BY_PARENT: dict[tuple[str, str], tuple[str, ...]] = {
    ("containers", "ports"): ("containerPort", "protocol"),
    ("initContainers", "ports"): ("containerPort", "protocol"),
    ("spec", "ports"): ("port", "protocol"),
}
_BY_NAME: dict[str, tuple[str, ...]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "podIPs": ("ip",),
    "secrets": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
SETS = frozenset({"finalizers"})
"""Lists of plain values that merge as sets."""

DEFAULTS = {"protocol": "TCP"}
"""What a key field means when it is left out."""

Path = tuple[str, ...]


def merge_keys(path: Path) -> tuple[str, ...]:
    """The fields that name an item of the list at this path; empty for a list that is replaced whole."""
    found = _BY_PARENT.get(path[-2:]) if len(path) > 1 else None  # type: ignore[arg-type]
    return found or _BY_NAME.get(path[-1], ())


def keyed(kind: Kind, path: Path) -> tuple[str, ...]:
    """As ``merge_keys``, for one kind: of Istio's only the metadata has such lists."""
    return () if kind.is_istio and path[:1] != ("metadata",) else merge_keys(path)


def identity(item: dict[str, object], keys: tuple[str, ...]) -> tuple[object, ...]:
    """What an item is called in its list."""
    return tuple(item.get(key, DEFAULTS.get(key)) for key in keys)
