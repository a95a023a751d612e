// mesh/dash/service.py says what each means.
export interface Method {
  path: string;
  streams: string;
  options: Record<string, unknown>;
  example: string;
  seen: { rate: number; failed: number; p95: number; statuses: Record<string, number> } | null;
}

export interface Service {
  namespace: string;
  name: string;
  host: string;
  ports: { name: string; number: number }[];
  workloads: string[];
  rules: { kind: string; namespace: string; name: string; written: boolean }[];
  methods: Method[];
  callers: string[];
}

export interface Explained {
  verdict: string;
  headline: string;
  lines: { label: string; text: string; at: string; bad: boolean }[];
  timeout: number | null;
}

export interface Called {
  status: string;
  milliseconds: number;
  messages: string[];
  metadata: [string, string][];
  error: string;
  trace: string;
}
