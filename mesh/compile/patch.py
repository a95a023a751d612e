"""Which patches of EnvoyFilters hold for a proxy, and in which order.

Source: pilot/pkg/model/push_context.go, EnvoyFilters, and envoyfilter.go. The patches come from ``mesh.envoy.patching``; ``patch_listener``,
``patch_route`` and ``patch_cluster`` apply them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.compile.attached import reaches
from mesh.envoy.node import node
from mesh.envoy.patching import Patch, read
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Workload
from mesh.resources.istio.envoyfilter import (
    ApplyTo,
    EnvoyFilterSpec,
    Operation,
    PatchContext,
    ProxyMatch,
)

MERGES: Final = (Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST)
#: What a sidecar of a cluster says of itself and one of this machine does not.
_ON_A_CLUSTER: Final = {"ISTIO_VERSION": "1.31.0", "INTERCEPTION_MODE": "REDIRECT"}
_LONGEST_VERSION: Final = 1024
_NOW: Final = "9999"


@dataclass(frozen=True, eq=False)
class Patches:
    """All patches of one proxy, by what they are applied to."""

    by_target: Mapping[ApplyTo, tuple[Patch, ...]]

    def of(self, context: PatchContext, *targets: ApplyTo) -> Iterator[Patch]:
        """Those for a side of the proxy."""
        for target in targets:
            for each in self.by_target.get(target, ()):
                if each.match.context in (context, PatchContext.ANY):
                    yield each

    def any_of(self, *targets: ApplyTo) -> bool:
        return any(self.by_target.get(target) for target in targets)


def patches(mesh: Mesh, workload: Workload) -> tuple[Patch, ...]:
    """Every patch for a proxy, in the order in which they are applied."""
    if not mesh.envoy_filters:
        return ()
    root = mesh.config.root_namespace
    chosen = [each for each in mesh.envoy_filters if _selects(each, workload, root)]
    described = {**node(workload)["metadata"], **_ON_A_CLUSTER}
    found = sorted(chosen, key=lambda each: _rank(each, root))
    return tuple(
        read(patch)
        for each in found
        for patch in each.spec.config_patches
        if _is_for(patch.match.proxy if patch.match else None, described)
    )


def grouped(found: Iterable[Patch]) -> Patches:
    by_target: dict[ApplyTo, list[Patch]] = {}
    for each in found:
        by_target.setdefault(each.apply_to, []).append(each)
    return Patches({target: tuple(each) for target, each in by_target.items()})


def _selects(given: Config[EnvoyFilterSpec], workload: Workload, root: str) -> bool:
    spec = given.spec
    near = given.namespace in (root, workload.namespace)
    return near and reaches(given.namespace, spec.workload_selector, spec.target_refs, workload)


def _rank(given: Config[EnvoyFilterSpec], root: str) -> tuple[Any, ...]:
    name = f"{given.name}.{given.namespace}"
    return given.spec.priority, given.namespace != root, given.creation or _NOW, name


def _is_for(match: ProxyMatch | None, described: Mapping[str, Any]) -> bool:
    if match is None:
        return True
    version = match.proxy_version
    if len(version) > _LONGEST_VERSION or not re.search(version, described["ISTIO_VERSION"]):
        return False
    return all(described.get(key) == value for key, value in match.metadata.items())


def edited(items: Iterable[Any], patch: Patch, matches: Any) -> list[Any]:
    """A list with the patch applied to it. ``matches`` says of an item whether the patch means it, and is None when it names none.

    Merging is not a matter of the list.
    """
    found = list(items)
    where = next((i for i, each in enumerate(found) if matches and matches(each)), None)
    match patch.operation:
        case Operation.ADD:
            return [*found, patch.value]
        case Operation.INSERT_FIRST:
            return [patch.value, *found]
        case Operation.INSERT_AFTER if matches is None:
            return [*found, patch.value]
        case Operation.INSERT_BEFORE if matches is None:
            return [patch.value, *found]
        case Operation.INSERT_AFTER if where is not None:
            return [*found[: where + 1], patch.value, *found[where + 1 :]]
        case Operation.INSERT_BEFORE if where is not None:
            return [*found[:where], patch.value, *found[where:]]
        case Operation.REPLACE if where is not None:
            return [*found[:where], patch.value, *found[where + 1 :]]
        case Operation.REMOVE if matches is not None:
            return [each for each in found if not matches(each)]
    return found


def assign(field: Any, items: Iterable[Any]) -> None:
    """Give a repeated field other items."""
    kept = [_copy(each) for each in items]
    del field[:]
    field.extend(kept)


def _copy(message: Any) -> Any:
    made = type(message)()
    made.CopyFrom(message)
    return made
