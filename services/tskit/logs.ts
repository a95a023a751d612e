/** Logs as one JSON object a line, as services/kit/logs.py writes them: {"event": ..., "level": "info", "trace_id": ...}. */

import { type Logger, pino } from "pino";
import { CURRENT } from "./call.js";
import type { Settings } from "./settings.js";

export type Log = Logger;

export function newLog(settings: Settings): Log {
  return pino({
    level: settings.logLevel,
    messageKey: "event",
    base: { service: settings.service, pod: settings.pod, version: settings.version },
    timestamp: () => `,"time":"${new Date().toISOString().replace("Z", "000Z")}"`,
    formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
    mixin: () => {
      const call = CURRENT.getStore();
      return call ? { trace_id: call.span.traceId, span_id: call.span.spanId, correlation_id: call.correlationId } : {};
    },
  });
}

/** An error as the kit's logs show one; with its stack when it is our own mistake. */
export function exception(error: unknown, stack = false): { exception: object[] } {
  const known = error instanceof Error ? error : new Error(String(error));
  const told = { exc_type: known.name, exc_value: known.message };
  return { exception: [stack ? { ...told, stack: known.stack } : told] };
}
