/**
 * What is being answered, or the event that is being handled: what its logs say of it. An AsyncLocalStorage, so that code
 * in between need not hand it on.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { SpanContext } from "@opentelemetry/api";

export const ATTEMPT = "x-envoy-attempt-count";
export const FAULT = "x-fault-";

export class Call {
  constructor(
    readonly method: string,
    readonly span: SpanContext,
    /** "" for a header that the call came without. */
    readonly header: (name: string) => string,
  ) {}

  get correlationId(): string {
    return this.header("x-request-id") || this.span.traceId;
  }
}

export const CURRENT = new AsyncLocalStorage<Call>();
