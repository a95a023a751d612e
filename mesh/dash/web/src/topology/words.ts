// What nodes and edges say of themselves, on the canvas, in tables and to screen readers.
import type { Node } from "../types";
import * as words from "../words";
import type { Line, Shown } from "./group";

const KINDS: Record<string, string> = { workload: "", gateway: "gateway", database: "database", broker: "broker", service: "no workload", external: "outside", unknown: "" };

export function labelled(node: Shown): string {
  const pods = node.members.flatMap((member) => member.pods);
  const ready = pods.filter((pod) => pod.ready).length;
  const count = node.members.length > 1 ? `${node.members.length} workloads` : "";
  const parts = [node.detail && !node.label.endsWith(node.detail) ? node.detail : "", KINDS[node.kind] ?? "", count, pods.length ? `${ready}/${pods.length} ready` : ""];
  const below = parts.filter(Boolean).join(" · ");
  return below ? `${clipped(node.label)}\n${below}` : clipped(node.label);
}

function clipped(text: string): string {
  return text.length > 22 ? `${text.slice(0, 21)}…` : text;
}

/** The line on an edge. */
export function told(edge: Line): string {
  if (edge.declared) return "";
  const parts = [edge.rate > 0 ? words.rate(edge.rate) : edge.bytes > 0 ? words.bytes(edge.bytes) : ""];
  if (edge.measured !== null && edge.configured !== null) parts.push(`${words.share(edge.measured)} of ${words.share(edge.configured)}`);
  if (edge.failed >= 0.001) parts.push(`${words.share(edge.failed)} fail`);
  else if (edge.p95 !== null) parts.push(words.milliseconds(edge.p95));
  return parts.filter(Boolean).join(" · ");
}

/** One sentence for a screen reader. */
export function spoken(node: Shown, edges: Line[]): string {
  const incoming = edges.filter((edge) => edge.target === node.id);
  const outgoing = edges.filter((edge) => edge.source === node.id);
  const rate = incoming.reduce((sum, edge) => sum + edge.rate, 0);
  const state = node.why.length ? node.why.join(", ") : node.health === "idle" ? "idle" : "healthy";
  const callers = incoming.map((edge) => name(edge.source)).join(", ") || "nobody";
  const calls = outgoing.map((edge) => name(edge.target)).join(", ") || "nothing";
  return `${node.label} ${node.detail}, ${node.kind}, ${state}, ${words.rate(rate)} in. Called by ${callers}. Calls ${calls}.`;
}

export function name(id: string): string {
  return id.slice(id.indexOf("/") + 1);
}

export function secured(edge: { mtls: boolean | null; declared: boolean }): string {
  return edge.mtls === null ? (edge.declared ? "not seen" : "unknown") : edge.mtls ? "mTLS" : "NOT mTLS";
}

export function readiness(nodes: Node[]): string {
  const pods = nodes.flatMap((node) => node.pods);
  return pods.length ? `${pods.filter((pod) => pod.ready).length}/${pods.length}` : "–";
}
