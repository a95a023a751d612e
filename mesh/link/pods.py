"""Workloads by namespace and label, so that a selector need not look at every pod. Built once per link."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from mesh.model.identity import Identity
from mesh.model.service import Workload


class Pods:
    """All workloads of a mesh."""

    def __init__(self, workloads: Sequence[Workload]) -> None:
        self._all = workloads
        self._by_namespace: dict[str, list[Workload]] = defaultdict(list)
        self._by_label: dict[tuple[str, str, str], list[Workload]] = defaultdict(list)
        for workload in workloads:
            self._by_namespace[workload.namespace].append(workload)
            for key, value in workload.labels.items():
                self._by_label[workload.namespace, key, value].append(workload)

    def first_port(self, name: str) -> int | None:
        """The number of the first container port of all that has a name."""
        ports = (port for workload in self._all for port in workload.container_ports)
        return next((port.number for port in ports if port.name == name), None)

    def selected(self, namespace: str, labels: Mapping[str, str]) -> list[Workload]:
        """Those of a namespace that have all the labels, in their order; with no labels, all of it."""
        if not labels:
            return self._by_namespace.get(namespace, [])
        fewest = min((self._by_label.get((namespace, k, v), []) for k, v in labels.items()), key=len)
        return [workload for workload in fewest if _has(workload, labels)]

    def accounts(self) -> dict[str, dict[str, Identity]]:
        """Namespace -> service account -> who runs so."""
        found: dict[str, dict[str, Identity]] = defaultdict(dict)
        for workload in self._all:
            found[workload.namespace][workload.identity.service_account] = workload.identity
        return dict(found)

    def anywhere(self, labels: Mapping[str, str]) -> Iterable[Workload]:
        """The same in every namespace."""
        return (workload for workload in self._all if _has(workload, labels))


def _has(workload: Workload, labels: Mapping[str, str]) -> bool:
    return labels.items() <= workload.labels.items()
