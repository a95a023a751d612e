"""Objects and metrics -> the graph of a mesh. Pure: app reads both from their sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mesh.dash.findings import findings
from mesh.dash.graph import Edge, Finding, Graph, Kind, Node
from mesh.dash.health import ANNOTATION, health, limits
from mesh.dash.inventory import Inventory, Workload, described
from mesh.dash.splits import qualified, splits
from mesh.dash.traffic import Breaking, Ends, Flow, Traffic, failed

Object = dict[str, Any]
OUTSIDE: Final = "outside"
_NOWHERE: Final = Breaking()


def graph(
    objects: Sequence[Object], traffic: Traffic, at: float, window: float, notes: Sequence[str] = ()
) -> Graph:
    """``notes`` are passed on. Nodes and edges are in order of their ids."""
    inventory = Inventory.of(objects)
    problems = findings(objects, inventory)
    edges = [*_shared(list(_measured(traffic, inventory)), inventory)]
    edges += [
        each
        for each in _declared(inventory)
        if (each.source, each.target) not in {(e.source, e.target) for e in edges}
    ]
    nodes = {each.id: each for each in (*_workloads(inventory), *_others(inventory, edges))}
    incoming: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in edges:
        incoming[edge.target].append(edge)
    judged = (_judged(each, incoming[each.id], inventory, problems) for each in nodes.values())
    ordered = sorted(edges, key=lambda each: (each.source, each.target))
    return Graph(
        at,
        window,
        tuple(sorted(judged, key=lambda each: each.id)),
        tuple(ordered),
        tuple(problems),
        tuple(notes),
    )


def _workloads(inventory: Inventory) -> Iterator[Node]:
    for each in inventory.workloads.values():
        pods = tuple(map(described, each.pods))
        yield Node(each.id, each.name, each.namespace, each.service, each.version, inventory.kind(each), pods)


def _others(inventory: Inventory, edges: Sequence[Edge]) -> Iterator[Node]:
    """Ends of edges that are no workload: databases and brokers that are declared, services that nobody answered for, strangers."""
    declared = {_id(each.host, each.name, each.workload, inventory): each for each in inventory.dependencies}
    for id_ in sorted(
        {end for edge in edges for end in (edge.source, edge.target)} - inventory.workloads.keys()
    ):
        namespace, _, name = id_.rpartition("/")
        if id_ in declared:
            yield Node(id_, declared[id_].name, namespace, name, "", declared[id_].kind)
        elif id_ in inventory.behind:
            yield Node(id_, name, namespace, name, "", Kind.SERVICE)
        elif id_ == OUTSIDE:
            yield Node(id_, "unknown callers", "", OUTSIDE, "", Kind.UNKNOWN)
        else:
            yield Node(id_, name, namespace, name, "", Kind.EXTERNAL)


def _measured(traffic: Traffic, inventory: Inventory) -> Iterator[Edge]:
    """One edge for two ends, whatever the service by whose name they met."""
    breaking = _by_ends(traffic, inventory)
    merged: dict[tuple[str, str], Edge] = {}
    for ends, flow in traffic.flows.items():
        made = _edge(ends, flow, inventory)
        key = (made.source, made.target)
        merged[key] = _added(merged[key], made) if key in merged else made
    for (source, target), edge in merged.items():
        found = breaking.get((source, target), _NOWHERE)
        yield replace(
            edge, retries=found.retries, refused=found.refused, open=found.open, ejected=found.ejected
        )


def _edge(ends: Ends, flow: Flow, inventory: Inventory) -> Edge:
    rate = sum(flow.statuses.values())
    bad = sum(each for name, each in flow.statuses.items() if failed(name))
    behind = inventory.behind.get(ends.service, ())
    target = ends.target or (behind[0] if len(behind) == 1 else ends.service) or OUTSIDE
    return Edge(
        source=ends.source or OUTSIDE,
        target=target,
        protocol=flow.protocol,
        statuses=dict(sorted(flow.statuses.items(), key=lambda item: -item[1])),
        rate=rate,
        failed=bad / rate if rate else 0.0,
        p50=flow.latency.get(0.5),
        p95=flow.latency.get(0.95),
        p99=flow.latency.get(0.99),
        mtls=flow.secured == {"mutual_tls"} if flow.secured else None,
        bytes=flow.bytes,
    )


def _added(one: Edge, other: Edge) -> Edge:
    """Latencies are those of the busier one: quantiles do not add up."""
    busier = one if one.rate >= other.rate else other
    rate = one.rate + other.rate
    names = {**one.statuses, **other.statuses}
    told = [each.mtls for each in (one, other) if each.mtls is not None]
    return replace(
        busier,
        statuses={name: one.statuses.get(name, 0.0) + other.statuses.get(name, 0.0) for name in names},
        rate=rate,
        failed=(one.rate * one.failed + other.rate * other.failed) / rate if rate else 0.0,
        mtls=all(told) if told else None,
        bytes=one.bytes + other.bytes,
    )


def _by_ends(traffic: Traffic, inventory: Inventory) -> Mapping[tuple[str, str], Breaking]:
    """A proxy's cluster is a service, or a subset of one: what it tells is told of each workload behind it."""
    found: dict[tuple[str, str], Breaking] = {}
    for (pod, cluster), told in traffic.breaking.items():
        parts = cluster.split("|")
        source = inventory.by_pod.get(pod)
        if source is None or len(parts) != 4 or parts[0] != "outbound":
            continue
        for target in _of_subset(parts[2], inventory, inventory.behind.get(qualified(parts[3], ""), ())):
            have = found.get((source, target), _NOWHERE)
            found[source, target] = Breaking(
                have.retries + told.retries,
                have.refused + told.refused,
                have.open or told.open,
                max(have.ejected, told.ejected),
            )
    return found


def _of_subset(subset: str, inventory: Inventory, behind: Sequence[str]) -> Sequence[str]:
    named = [id_ for id_ in behind if inventory.workloads[id_].version == subset]
    return named if subset and named else behind


def _shared(edges: Sequence[Edge], inventory: Inventory) -> Iterator[Edge]:
    """With the shares of what a caller sends to a service that has several workloads."""
    configured = splits(inventory)
    of: defaultdict[tuple[str, str], float] = defaultdict(float)
    service_of = {id_: service for service, ids in inventory.behind.items() if len(ids) > 1 for id_ in ids}
    for edge in edges:
        if edge.target in service_of:
            of[edge.source, service_of[edge.target]] += edge.rate
    for edge in edges:
        service = service_of.get(edge.target)
        total = of.get((edge.source, service), 0.0) if service else 0.0
        share = configured.get(service or "", {}).get(edge.target)
        yield replace(edge, configured=share, measured=edge.rate / total) if total else edge


def _declared(inventory: Inventory) -> Iterator[Edge]:
    """Databases and brokers, as the environment of a workload names them."""
    for each in inventory.dependencies:
        yield Edge(
            each.workload, _id(each.host, each.name, each.workload, inventory), each.scheme, declared=True
        )


def _id(host: str, name: str, workload: str, inventory: Inventory) -> str:
    """The workload behind the host where that is one of the mesh, else a node of its own."""
    namespace = workload.partition("/")[0]
    behind = inventory.behind.get(qualified(host, namespace), ()) if host else ()
    return behind[0] if behind else f"{namespace}/{host or workload.partition('/')[2]}:{name}"


def _judged(node: Node, incoming: Sequence[Edge], inventory: Inventory, problems: Sequence[Finding]) -> Node:
    own: Workload | None = inventory.workloads.get(node.id)
    shares = limits(own.annotations.get(ANNOTATION, "") if own else "")
    verdict, why = health(node.pods, incoming, shares)
    about = tuple(i for i, each in enumerate(problems) if node.id in each.nodes)
    return replace(node, health=verdict, why=why, problems=about)
