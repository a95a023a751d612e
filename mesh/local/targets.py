"""Whom the observatory asks for metrics, and what it must know to understand the answers: a file that it reads again when it changes.

Output: .mesh/run/targets.json, an object a pod; mesh.observe.istio reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mesh.compile.served import served
from mesh.local.paths import Paths
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Kind, Workload

Object = dict[str, Any]


def write(paths: Paths, mesh: Mesh, placement: Placement) -> None:
    """Replaces the file when something in it is different."""
    text = json.dumps([_target(mesh, placement, each) for each in mesh.workloads if _placed(placement, each)])
    if not paths.targets.is_file() or paths.targets.read_text() != text:
        draft = paths.targets.with_suffix(".new")
        draft.write_text(text)
        draft.replace(paths.targets)


def _placed(placement: Placement, workload: Workload) -> bool:
    everything = (*placement.inbound, *placement.gateway)
    return any(key == workload.key for key, _ in everything)


def _target(mesh: Mesh, placement: Placement, workload: Workload) -> Object:
    """``ports``: on which port of this machine which service is called, from within the pod or from outside."""
    return {
        "name": workload.name,
        "namespace": workload.namespace,
        "workload": workload.owner,
        "labels": dict(workload.labels),
        "principal": workload.identity.spiffe,
        "router": workload.kind is Kind.ROUTER,
        "admin": f"pods/{workload.name}/admin.sock",
        "ports": dict(_ports(mesh, placement, workload)),
    }


def _ports(mesh: Mesh, placement: Placement, workload: Workload) -> Iterator[tuple[str, str]]:
    for each in served(workload, mesh.services):
        if at := placement.inbound.get((workload.key, each.number)):
            yield str(at), each.hostname
    for (key, host, _), at in placement.outbound.items():
        if key == workload.key:
            yield str(at), host
