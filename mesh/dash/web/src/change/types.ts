// mesh/dash/change.py says what each means.
import type { Finding, Pod } from "../types";

export interface Divided {
  index: number;
  name: string;
  places: { host: string; subset: string; weight: number }[];
}

export interface Accepted {
  by_all: boolean;
  said: string;
  current: boolean;
}

export interface Line {
  kind: string;
  namespace: string;
  name: string;
  hosts: string[];
  routes: Divided[];
  accepted: Accepted | null;
}

export interface Rule extends Line {
  text: string;
  version: string;
  services: string[];
  proxies: (Pod & { workload: string; namespace: string })[];
}

export interface Checked {
  text: string;
  routes: Divided[];
  findings: (Finding & { line: number })[];
  changed: boolean;
}

export interface Shares {
  times: number[];
  workloads: { name: string; rates: number[]; configured: number | null }[];
}
