"""Manifests -> what we make of them, as a dump."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mesh.compile import Compiler
from mesh.compile.placement import numbered
from mesh.envoy.patching import linked as link
from mesh.envoy.snapshot import Snapshot, to_json
from mesh.model.mesh import CLUSTER, Mesh
from mesh.resources.object import from_json, parse
from tests.parity.golden import Dump


def read(text: str) -> Mesh:
    objects, problems = parse(text, "manifests")
    assert not problems, problems
    return link(objects)[0]


def snapshots(mesh: Mesh, local: bool = False) -> dict[str, Snapshot]:
    """By proxy id."""
    compiler = Compiler(mesh, numbered(mesh) if local else CLUSTER)
    return {workload.proxy_id: compiler.compile(workload)[0] for workload in mesh.workloads}


def dump(manifests: Path) -> Dump:
    return _dump(read(manifests.read_text()))


def dump_of(manifests: Iterable[Mapping[str, Any]]) -> Dump:
    """Of plain data; what is wrong with it is left to the comparison."""
    objects = [made for each in manifests if (made := from_json(each, "manifests")[0])]
    return _dump(link(objects)[0])


def _dump(mesh: Mesh) -> Dump:
    found = snapshots(mesh)
    dumped: Dump = json.loads(json.dumps({proxy: to_json(each) for proxy, each in found.items()}))
    return dumped
