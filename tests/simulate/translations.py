"""One random mesh as we translate it and as istiod does: simulate must say the same of both, step by step."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.json_format import ParseDict

from mesh.compile import Compiler
from mesh.envoy.extensions import readable
from mesh.envoy.snapshot import Snapshot
from mesh.link.link import link
from mesh.model.mesh import Mesh
from mesh.resources.object import from_json
from mesh.simulate.call import Proxy, call
from mesh.simulate.request import Connection, Request
from mesh.simulate.text import Unsimulated
from mesh.simulate.trace import Pass, Trace
from tests.parity import golden
from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.mesh import random_mesh
from tests.simulate.requests import HEADERS, PATHS, QUERIES

Proxies = Mapping[str, Proxy]
_KINDS: Mapping[str, Any] = {
    "clusters": Cluster,
    "endpoints": ClusterLoadAssignment,
    "listeners": Listener,
    "routes": RouteConfiguration,
}


def disagreements(oracle: str, seed: str, requests: int) -> list[str]:
    """Requests of which simulate says one thing by our resources, and another by istiod's."""
    manifests = random_mesh(seed)
    made = [each for m in manifests if (each := from_json(m, "manifests")[0])]
    mesh, _ = link(made)
    compiler = Compiler(mesh)
    ours = {w.proxy_id: compiler.compile(w)[0] for w in mesh.workloads}
    if not mesh.workloads or not all(each.endpoints for each in ours.values()):
        return []  # the oracle would wait for endpoints that never come
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.yaml"
        path.write_text(yaml.safe_dump_all(manifests, sort_keys=False))
        theirs = {proxy: snapshot(each) for proxy, each in golden.dump(oracle, path).items()}
    dice = Dice(f"{seed} translations")
    pairs = (_proxies(mesh, ours), _proxies(mesh, theirs))
    return [said for _ in range(requests) if (said := _compared(mesh, dice, *pairs))]


def snapshot(dumped: Mapping[str, list[dict[str, Any]]]) -> Snapshot:
    """A proxy's part of `oracle dump`."""
    found: dict[str, dict[str, Any]] = {}
    for kind, message in _KINDS.items():
        parsed = [ParseDict(readable(each), message(), ignore_unknown_fields=True) for each in dumped[kind]]
        found[kind] = {each.cluster_name if kind == "endpoints" else each.name: each for each in parsed}
    return Snapshot(**found)


def _proxies(mesh: Mesh, resources: Mapping[str, Snapshot]) -> Proxies:
    return {
        w.proxy_id: Proxy(w.proxy_id, resources[w.proxy_id], w.identity.spiffe, w.pod_address)
        for w in mesh.workloads
        if w.proxy_id in resources
    }


def _compared(mesh: Mesh, dice: Dice, ours: Proxies, theirs: Proxies) -> str:
    caller = dice.one(sorted(ours))
    service = dice.one(mesh.services)
    port = dice.one(service.ports).number if service.ports else 80
    address = next(iter(service.addresses), "") or next((e.address for e in service.endpoints), "10.9.9.9")
    headers = {name: dice.one(HEADERS[name]) for name in dice.some(list(HEADERS), 0, 4)}
    path = dice.one(PATHS) + dice.one(QUERIES)
    authority = dice.one(
        [service.hostname, f"{service.hostname}:{port}", f"{service.name}.{service.namespace}"]
    )
    request = Request(authority, path, dice.one(["GET", "POST"]), headers=headers, http2=dice.chance(0.5))
    connection = Connection(address, port, ours[caller].address)
    one, other = (_trace(proxies, caller, connection, request) for proxies in (ours, theirs))
    if one == other:
        return ""
    return f"{caller} {connection.address}:{port} {request}\n    ours:   {one}\n    istiod: {other}"


def _trace(proxies: Proxies, caller: str, connection: Connection, request: Request) -> Trace | str:
    by_address = {each.address: each for each in proxies.values()}
    try:
        found = call(proxies[caller], connection, request, lambda address, _: by_address.get(address))
    except Unsimulated as error:
        return str(error)
    arrivals = tuple(
        replace(each, inbound=_plain(each.inbound) if each.inbound else None) for each in found.arrivals
    )
    return Trace(_plain(found.outbound), arrivals)


def _plain(made: Pass) -> Pass:
    """Without filters that only one of the two has, since a stock Envoy has no others."""
    return replace(made, unread=())
