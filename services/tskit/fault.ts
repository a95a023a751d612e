/**
 * Faults on request, in development only: `x-fault-<service>: fail=2;method=Charge`. The language is that of
 * services/kit/fault.py, which says what each word means.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { ATTEMPT, type Call, FAULT } from "./call.js";
import { invalidRequest, ServiceError } from "./errors.js";
import type { Settings } from "./settings.js";

const KNOWN = "fail=N, code=STATUS, delay=2s, hang, when=after, method=, pod=, version=";

export interface Fault {
  header: string;
  fails: number;
  code: status;
  /** Milliseconds. */
  delay: number;
  hang: boolean;
  after: boolean;
  method: string;
  pod: string;
  version: string;
}

/** The fault meant for this replica and method. Throws: one that is misspelt must not pass for a service that is well. */
export function chosenFault(call: Call, settings: Settings, method: string): Fault | undefined {
  const header = FAULT + settings.service;
  const text = call.header(header);
  if (!text) return undefined;
  const fault: Fault = {
    ...{ header, fails: 0, code: status.OK, delay: 0, hang: false, after: false },
    ...{ method: "", pod: "", version: "" },
  };
  for (const word of text.split(";").map((each) => each.trim())) {
    if (word && !set(fault, word)) {
      throw invalidRequest([{ field: header, description: `does not understand ${word}; knows ${KNOWN}` }]);
    }
  }
  const mine = (wanted: string, have: string) => wanted === "" || wanted === have;
  return mine(fault.method, method) && mine(fault.pod, settings.pod) && mine(fault.version, settings.version)
    ? fault
    : undefined;
}

function set(fault: Fault, word: string): boolean {
  const [key, value = ""] = word.split("=", 2);
  switch (key) {
    case "fail":
      fault.fails = Number(value);
      return /^\d+$/.test(value);
    case "code": {
      const code = status[value as keyof typeof status];
      fault.code = code;
      return code !== undefined;
    }
    case "delay": {
      const found = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(value);
      fault.delay = found ? Number(found[1]) * (found[2] === "s" ? 1000 : 1) : 0;
      return found !== null;
    }
    case "hang":
      fault.hang = true;
      return value === "";
    case "when":
      fault.after = value === "after";
      return value === "before" || value === "after";
    case "method":
    case "pod":
    case "version":
      fault[key] = value;
      return value !== "";
    default:
      return false;
  }
}

/** Waits and fails as asked; one that hangs does so until the call ends. */
export async function carryOut(fault: Fault, call: Call, signal: AbortSignal): Promise<void> {
  if (fault.delay > 0) await sleep(fault.delay, undefined, { signal });
  if (fault.hang) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const fails = Number(call.header(ATTEMPT) || "1") <= fault.fails;
  const code = fault.code === status.OK && fails ? status.UNAVAILABLE : fault.code;
  if (code !== status.OK) {
    const message = `${fault.header} asked for ${status[code]}`;
    throw new ServiceError(code, "ERROR_REASON_FAULT", message, { header: fault.header });
  }
}
