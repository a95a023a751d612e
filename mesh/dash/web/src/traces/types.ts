// mesh/dash/traces.py says what each means. Milliseconds; `start` of a row is from the trace's own.
export interface Line {
  trace: string;
  start: string;
  milliseconds: number;
  service: string;
  operation: string;
  request: string;
  services: string[];
  spans: number;
  errors: number;
}

export interface Row {
  span: string;
  service: string;
  workload: string;
  request: string;
  operation: string;
  kind: string;
  depth: number;
  critical: boolean;
  proxy: boolean;
  start: number;
  milliseconds: number;
  failed: boolean;
  outcome: string;
  attributes: Record<string, string | number | boolean>;
}

export interface Trace extends Line {
  proxies: number;
  rows: Row[];
}
