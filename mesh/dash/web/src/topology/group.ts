// The graph as it is shown: workloads put together by version, service or namespace, and without what is hidden.
import type { Edge, Graph, Health, Kind, Node } from "../types";
import { matcher } from "./match";

export type By = "workload" | "version" | "service" | "namespace";

/** A node that stands for `members`. `label` is its name on the graph. */
export interface Shown {
  id: string;
  label: string;
  detail: string;
  namespace: string;
  kind: Kind;
  health: Health;
  why: string[];
  problems: number[];
  members: Node[];
}

/** An edge that stands for `parts`; rates are theirs together, latencies those of the busiest. */
export interface Line extends Edge {
  id: string;
  parts: Edge[];
}

export interface Picture {
  nodes: Shown[];
  edges: Line[];
  hidden: number;
}

export interface Wish {
  by: By;
  namespaces: string[];
  hide: string;
  idle: boolean;
}

const WORST: Health[] = ["bad", "poor", "good", "idle"];

export function picture(graph: Graph, wish: Wish): Picture {
  const shown = new Map<string, Shown>();
  const place = new Map<string, string>();
  for (const node of graph.nodes) {
    const id = key(node, wish.by);
    place.set(node.id, id);
    shown.set(id, together(shown.get(id), node, id, wish.by));
  }
  const lines = new Map<string, Line>();
  for (const edge of graph.edges) {
    const [source, target] = [place.get(edge.source), place.get(edge.target)];
    if (source && target && source !== target) {
      const id = `${source}>${target}`;
      lines.set(id, added(lines.get(id), edge, id, source, target));
    }
  }
  return without([...shown.values()], [...lines.values()], wish);
}

function without(nodes: Shown[], edges: Line[], wish: Wish): Picture {
  const hides = matcher(wish.hide);
  const busy = new Set(edges.filter((edge) => edge.rate > 0 || edge.bytes > 0).flatMap((edge) => [edge.source, edge.target]));
  const kept = nodes.filter(
    (node) =>
      (wish.namespaces.length === 0 || !node.namespace || wish.namespaces.includes(node.namespace)) &&
      (wish.idle || busy.has(node.id) || node.health === "bad" || node.health === "poor") &&
      !(wish.hide.trim() && hides(node, edges)),
  );
  const left = new Set(kept.map((node) => node.id));
  return {
    nodes: kept,
    edges: edges.filter((edge) => left.has(edge.source) && left.has(edge.target)),
    hidden: nodes.length - kept.length,
  };
}

function key(node: Node, by: By): string {
  const alone = node.kind === "database" || node.kind === "external" || node.kind === "unknown";
  if (by === "workload" || (alone && by !== "namespace")) return node.id;
  if (by === "namespace") return node.namespace || node.id;
  const service = `${node.namespace}/${node.service}`;
  return by === "service" ? service : `${service}@${node.version}`;
}

function together(have: Shown | undefined, node: Node, id: string, by: By): Shown {
  if (!have) {
    const label = by === "namespace" ? node.namespace || node.name : by === "workload" ? node.name : node.kind === "database" ? node.name : node.service;
    const detail = by === "version" || by === "workload" ? node.version : "";
    const { namespace, kind, health, why, problems } = node;
    return { id, label, detail, namespace, kind, health, why, problems, members: [node] };
  }
  return {
    ...have,
    kind: have.kind === node.kind ? have.kind : "workload",
    health: WORST.find((each) => each === have.health || each === node.health) ?? "idle",
    why: [...new Set([...have.why, ...node.why])],
    problems: [...new Set([...have.problems, ...node.problems])],
    members: [...have.members, node],
  };
}

function added(have: Line | undefined, edge: Edge, id: string, source: string, target: string): Line {
  if (!have) return { ...edge, id, source, target, parts: [edge] };
  const busier = have.rate >= edge.rate ? have : edge;
  const rate = have.rate + edge.rate;
  const statuses = { ...have.statuses };
  for (const [name, value] of Object.entries(edge.statuses)) statuses[name] = (statuses[name] ?? 0) + value;
  const told = [have.mtls, edge.mtls].filter((each) => each !== null);
  return {
    ...busier,
    id,
    source,
    target,
    rate,
    statuses,
    failed: rate ? (have.rate * have.failed + edge.rate * edge.failed) / rate : 0,
    mtls: told.length ? told.every(Boolean) : null,
    bytes: have.bytes + edge.bytes,
    configured: null,
    measured: null,
    retries: have.retries + edge.retries,
    refused: have.refused + edge.refused,
    open: have.open || edge.open,
    ejected: have.ejected + edge.ejected,
    declared: have.declared && edge.declared,
    parts: [...have.parts, edge],
  };
}
