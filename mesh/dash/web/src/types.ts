// What the server answers: mesh/dash/graph.py and its neighbours say what each means. Rates are a second, latencies milliseconds.

export type Kind = "workload" | "gateway" | "database" | "broker" | "service" | "external" | "unknown";
export type Health = "good" | "idle" | "poor" | "bad";

export interface Pod {
  name: string;
  ready: boolean;
  restarts: number;
  reason: string;
  proxy: boolean;
  accepted: boolean | null;
  version: string;
  rejected: string;
  identity: string;
  certificate_until: string;
}

export interface Node {
  id: string;
  name: string;
  namespace: string;
  service: string;
  version: string;
  kind: Kind;
  pods: Pod[];
  health: Health;
  why: string[];
  problems: number[];
}

export interface Edge {
  source: string;
  target: string;
  protocol: string;
  statuses: Record<string, number>;
  rate: number;
  failed: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  mtls: boolean | null;
  bytes: number;
  configured: number | null;
  measured: number | null;
  retries: number;
  refused: number;
  open: boolean;
  ejected: number;
  declared: boolean;
}

export interface Finding {
  code: string;
  severity: "error" | "warning";
  message: string;
  fix: string;
  object: string;
  path: string;
  nodes: string[];
}

export interface Graph {
  at: number;
  window: number;
  nodes: Node[];
  edges: Edge[];
  problems: Finding[];
  notes: string[];
}

export interface About {
  name: string;
  window: number;
  local: boolean;
  metrics: boolean;
  traces: boolean;
  logs: boolean;
}

export interface History {
  times: number[];
  all: number[];
  failed: number[];
}
